"""Faults on purpose, around a whole app: errors in the API's form, cut connections, answers that stop halfway."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.sandbox.calls import ApiError
from pipelines.sandbox.draws import tagged_id
from pipelines.sandbox.options import Fault, FaultPlan

_MESSAGES = {
    Fault.RATE_LIMIT: "This request would exceed your organization's rate limit.",
    Fault.API_ERROR: "Internal server error",
    Fault.OVERLOADED: "Overloaded",
}


class Faulty:
    """An app that fails as planned at the time, counting its requests."""

    def __init__(self, app: ASGIApp, plan: Callable[[], FaultPlan]) -> None:
        self._app, self._plan = app, plan
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._requests += 1
        fault = self._plan().fault_of(self._requests)
        if fault is None:
            await self._app(scope, receive, send)
        elif fault is Fault.RESET:
            _reset(receive)
        elif fault is Fault.TRUNCATED:
            await self._app(scope, receive, _Cutter(send))
        else:
            await self._error(fault)(scope, receive, send)

    def _error(self, fault: Fault) -> Response:
        request_id = tagged_id("req", "fault", self._requests)
        body = msgspec.json.encode(ApiError(int(fault), _MESSAGES[fault]).body(request_id))
        headers = {"request-id": request_id}
        if fault is Fault.RATE_LIMIT:
            headers["retry-after"] = "0"
        return Response(body, int(fault), headers, "application/json")


class _Cutter:
    """Passes on the head of an answer and half of its body; the server then closes the connection."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            body: bytes = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        await self._send(message)


def _reset(receive: Receive) -> None:
    """Cut the connection without an answer. ASGI has no word for it, so this reaches for uvicorn's transport."""
    transport: Any = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("fault plan")
    transport.abort()
