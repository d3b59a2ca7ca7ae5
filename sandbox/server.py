"""The stand-in Admin API: authentication, versions, permissions and faults around the endpoints.

What the endpoints answer stands in `lists`, `reports`, `analytics`, `enterprise` and `activities`.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox import activities, analytics, enterprise, lists, reports
from sandbox.access import OAUTH, Access, Area, access_of
from sandbox.calls import ApiError, Call, Query
from sandbox.draws import tagged_id
from sandbox.faults import Faulty
from sandbox.limits import Turnstile
from sandbox.options import Listing, Options, Switches, UsageGeneration
from sandbox.organization import Organization

_log = logging.getLogger(__name__)
NEWER_VERSION = "2026-10-21"
_REFUSALS = {
    400: "This request is not available for this organization.",
    403: "Your API key does not have permission to use the specified resource.",
    404: "Not found",
    500: "Internal server error",
}


class Endpoint(NamedTuple):
    listing: Listing
    area: Area
    answer: Callable[[Call], Any]
    generation: UsageGeneration | None = None
    """The usage generation that has it; none: every organization does."""

    @property
    def path(self) -> str:
        return f"/v1/{'compliance' if self.listing is Listing.ACTIVITIES else 'organizations'}/{self.listing}"


def _endpoints() -> tuple[Endpoint, ...]:
    usage_analytics, feed = analytics.UsageAnalytics().answer, activities.ActivityFeed().answer
    newer, older, enterprises = UsageGeneration.ANALYTICS, UsageGeneration.REPORTS, UsageGeneration.ENTERPRISE
    return (
        Endpoint(Listing.ME, Area.ME, lists.me),
        Endpoint(Listing.USERS, Area.USERS, lists.users),
        Endpoint(Listing.INVITES, Area.INVITES, lists.invites),
        Endpoint(Listing.API_KEYS, Area.API_KEYS, lists.api_keys),
        Endpoint(Listing.WORKSPACES, Area.WORKSPACES, lists.workspaces),
        Endpoint(Listing.SERVICE_ACCOUNTS, Area.SERVICE_ACCOUNTS, lists.service_accounts),
        Endpoint(Listing.ANALYTICS_USAGE, Area.USAGE, usage_analytics, newer),
        Endpoint(Listing.MESSAGES, Area.USAGE, reports.messages_report, older),
        Endpoint(Listing.CLAUDE_CODE, Area.USAGE, reports.claude_code_report, older),
        Endpoint(Listing.ANALYTICS_USERS, Area.ENTERPRISE_ANALYTICS, enterprise.analytics_users, enterprises),
        Endpoint(Listing.ACTIVITIES, Area.FEED, feed),
    )


def create_app(
    organization: Organization,
    *,
    clock: Callable[[], datetime],
    options: Options | Switches | None = None,
    stopwatch: Callable[[], float] | None = None,
) -> ASGIApp:
    """The API of one organization, at the time that the clock tells with each request.

    `Switches` may be set anew meanwhile. The rate limit counts by the stopwatch, if none is given by real seconds.
    """
    switches = options if isinstance(options, Switches) else Switches()
    if isinstance(options, Options):
        switches.options = options
    desk = _Desk(organization, clock, switches, Turnstile(stopwatch or time.monotonic))
    routes = [Route(endpoint.path, desk.serving(endpoint), methods=["GET"]) for endpoint in _endpoints()]
    app = Starlette(routes=routes, exception_handlers={HTTPException: desk.refuse})
    return Faulty(app, lambda: switches.options.fault_plan)


class _Desk:
    """Where requests arrive: each gets an id, its key and version are looked at, then its endpoint answers."""

    def __init__(
        self, organization: Organization, clock: Callable[[], datetime], switches: Switches, turnstile: Turnstile
    ) -> None:
        self._organization, self._clock, self._switches, self._turnstile = organization, clock, switches, turnstile
        self._requests = 0

    def serving(self, endpoint: Endpoint) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            options = self._switches.options
            if options.latency_seconds:
                await asyncio.sleep(options.latency_seconds)
            request_id = self._next_id()
            told: Mapping[str, str] = {}
            try:
                access, now = _authenticated(request), self._clock().astimezone(UTC)
                if options.rate_limit:
                    told = self._turnstile.enter(options.rate_limit, now)
                answer = endpoint.answer(self._call(request, endpoint, options, access, now))
                return self._response(200, answer, request_id, told)
            except ApiError as error:
                return self._response(error.status, error.body(request_id), request_id, {**told, **error.headers})
            except Exception:
                # A bug of the sandbox, told here: to its callers it looks like any 500.
                _log.exception("%s failed", request.url)
                return self._response(500, ApiError(500, "Internal server error").body(request_id), request_id)

        return serve

    async def refuse(self, request: Request, problem: Exception) -> Response:
        """Paths and methods that the API does not have."""
        status = problem.status_code if isinstance(problem, HTTPException) else 500
        message = "Method not allowed" if status == 405 else "Not found"
        request_id = self._next_id()
        return self._response(status, ApiError(status, message).body(request_id), request_id)

    def _call(self, request: Request, endpoint: Endpoint, options: Options, access: Access, now: datetime) -> Call:
        version = _version(request)
        _permit(access, endpoint, options)
        return Call(
            organization=self._organization,
            options=options,
            access=access,
            query=Query(request.query_params.multi_items()),
            headers=request.headers,
            now=now,
            newer=version >= NEWER_VERSION,
        )

    def _next_id(self) -> str:
        self._requests += 1
        return tagged_id("req", self._organization.seed, self._requests)

    def _response(
        self, status: int, body: object, request_id: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        told = {"request-id": request_id, **(headers or {})}
        if self._switches.options.tells_time:
            told["date"] = format_datetime(self._clock().astimezone(UTC), usegmt=True)
        return Response(msgspec.json.encode(body), status, told, "application/json")


def _permit(access: Access, endpoint: Endpoint, options: Options) -> None:
    if endpoint.area not in access.areas:
        raise _refusal(access.refusal)
    generation = UsageGeneration.ENTERPRISE if access.of_enterprise else options.usage
    if endpoint.generation not in (None, generation):
        raise _refusal(404)
    if (status := options.refused.get(endpoint.listing)) is not None:
        raise _refusal(status)


def _authenticated(request: Request) -> Access:
    """What the request's key may, given as `x-api-key` or as `Authorization: Bearer`."""
    as_key = request.headers.get("x-api-key", "")
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    credential = as_key or (token if kind == "Bearer" else "")
    access = None if as_key.startswith(OAUTH) else access_of(credential)
    if access is None:
        raise ApiError(401, "invalid x-api-key" if credential else "x-api-key: header is required")
    return access


def _version(request: Request) -> str:
    version = request.headers.get("anthropic-version")
    if version is None:
        raise ApiError(400, "anthropic-version: header is required")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", version):
        raise ApiError(400, f"anthropic-version: {version!r} is not a valid version")
    return version


def _refusal(status: int) -> ApiError:
    return ApiError(status, _REFUSALS.get(status, "This request was refused."))
