"""Faults on purpose, around a whole app: errors, and answers that are cut, garbled, slow or too much.

ASGI has no words for what breaks HTTP itself, so those reach for uvicorn's transport.
"""

import asyncio
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.calls import ApiError
from sandbox.draws import tagged_id
from sandbox.options import Fault, FaultPlan

_MESSAGES = {
    Fault.RATE_LIMIT: "This request would exceed your organization's rate limit.",
    Fault.API_ERROR: "Internal server error",
    Fault.OVERLOADED: "Overloaded",
    Fault.TIMEOUT: "Request timed out",
    Fault.CONFLICT: "Conflict",
    Fault.TOO_EARLY: "Too early",
}
_GATEWAYS = {
    Fault.BAD_GATEWAY: "Bad Gateway",
    Fault.UNAVAILABLE: "Service Unavailable",
    Fault.GATEWAY_TIMEOUT: "Gateway Timeout",
}
_DRIPS = 3000
"""Bytes that a slow answer has before its own."""
_BOMB_MEGABYTES = 1024


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
        plan = self._plan()
        fault = plan.fault_of(self._requests)
        if fault is None:
            await self._app(scope, receive, send)
        elif fault in _MESSAGES or fault in _GATEWAYS:
            await self._error(fault)(scope, receive, send)
        elif fault is Fault.RESET:
            _transport(receive).abort()
        elif fault is Fault.SILENT:
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            answer = _Answer()
            await self._app(scope, receive, answer.keep)
            await _write(receive, _on_the_wire(fault, answer, plan.drip_seconds))

    def _error(self, fault: Fault) -> Response:
        if fault in _GATEWAYS:
            return Response(f"<h1>{int(fault)} {_GATEWAYS[fault]}</h1>", int(fault), media_type="text/html")
        request_id = tagged_id("req", "fault", self._requests)
        body = msgspec.json.encode(ApiError(int(fault), _MESSAGES[fault]).body(request_id))
        headers = {"request-id": request_id}
        if fault is Fault.RATE_LIMIT:
            headers["retry-after"] = "0"
        return Response(body, int(fault), headers, "application/json")


class _Answer:
    """What the app would have sent."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 0, b"", b""

    async def keep(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            lines = [name + b": " + value for name, value in message["headers"] if name != b"content-length"]
            self.headers = b"\r\n".join(lines)
        else:
            self.body += message.get("body", b"")

    def head(self, *lines: str) -> bytes:
        told = "".join(f"\r\n{line}" for line in lines).encode()
        return b"HTTP/1.1 %d .\r\n%s%s\r\nconnection: close\r\n\r\n" % (self.status, self.headers, told)


class _Part(NamedTuple):
    content: bytes
    pause: float = 0.0
    """Seconds after each of its bytes; none: all at once."""


def _on_the_wire(fault: Fault, answer: _Answer, drip_seconds: float) -> Iterable[_Part]:
    """The bytes of an answer with this fault; after the last one the connection is closed."""
    body, half = answer.body, answer.body[: len(answer.body) // 2]
    length = f"content-length: {len(body)}"
    match fault:
        case Fault.TRUNCATED:
            return [_Part(answer.head(length) + half)]
        case Fault.TRUNCATED_CHUNKS:
            return [_Part(answer.head("transfer-encoding: chunked") + b"%x\r\n%s\r\n" % (len(half), half))]
        case Fault.TRUNCATED_WITHOUT_LENGTH:
            return [_Part(answer.head() + half)]
        case Fault.GARBLED:
            return [_Part(answer.head(length) + body[::-1])]
        case Fault.SLOW_HEADERS:
            head = answer.head(length)
            return [_Part(b"HTTP/1.1 "), _Part(b"200 " + b"." * _DRIPS, drip_seconds), _Part(head[12:] + body)]
        case Fault.SLOW_BODY:
            padded = answer.head(f"content-length: {_DRIPS + len(body)}")
            return [_Part(padded), _Part(b" " * _DRIPS, drip_seconds), _Part(body)]
        case Fault.BOMB:
            return [_Part(answer.head("content-encoding: gzip")), _Part(_blanks()), _Part(_packed_end(body))]
    raise AssertionError(f"{fault} is not written to the wire")


@cache
def _blanks() -> bytes:
    """A gigabyte of blanks, which JSON allows before a value, packed into a megabyte."""
    packing = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    megabyte = packing.compress(b" " * 1024**2) + packing.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + megabyte * _BOMB_MEGABYTES


def _packed_end(body: bytes) -> bytes:
    """The body itself, and the sum of all: it is a good answer to whoever has room for it."""
    packing = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    total = 0
    for _ in range(_BOMB_MEGABYTES):
        total = zlib.crc32(b" " * 1024**2, total)
    total, length = zlib.crc32(body, total), (_BOMB_MEGABYTES * 1024**2 + len(body)) % 2**32
    return packing.compress(body) + packing.flush() + total.to_bytes(4, "little") + length.to_bytes(4, "little")


def _transport(receive: Receive) -> Any:
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("fault plan")
    return transport


async def _write(receive: Receive, parts: Iterable[_Part]) -> None:
    """Put these bytes on the wire instead of an answer, for as long as somebody listens, and hang up."""
    transport = _transport(receive)
    for part in parts:
        step = 1 if part.pause else len(part.content)
        for start in range(0, len(part.content), step):
            if transport.is_closing():
                return
            transport.write(part.content[start : start + step])
            await asyncio.sleep(part.pause)
    while transport.get_write_buffer_size() and not transport.is_closing():
        await asyncio.sleep(0.01)
    transport.close()
