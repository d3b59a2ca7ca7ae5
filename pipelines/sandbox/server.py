"""The stand-in Admin API: authentication, versions, permissions and faults around the endpoints.

What the endpoints answer stands in `lists`, `reports`, `analytics`, `enterprise` and `activities`.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pipelines.sandbox import activities, analytics, enterprise, lists, reports
from pipelines.sandbox.access import Access, Area, access_of
from pipelines.sandbox.calls import ApiError, Call, Query
from pipelines.sandbox.draws import tagged_id
from pipelines.sandbox.faults import Faulty
from pipelines.sandbox.options import Options, UsageGeneration
from pipelines.sandbox.organization import Organization

_log = logging.getLogger(__name__)
NEWER_VERSION = "2026-10-21"


class Endpoint(NamedTuple):
    path: str
    area: Area
    answer: Callable[[Call], Any]
    generation: UsageGeneration | None = None
    """The usage generation that has it; none: every organization does."""


def _endpoints(organization: Organization) -> tuple[Endpoint, ...]:
    admin, reporting = "/v1/organizations", "/v1/organizations/usage_report"
    usage_analytics = analytics.UsageAnalytics(organization).answer
    newer, older, enterprises = UsageGeneration.ANALYTICS, UsageGeneration.REPORTS, UsageGeneration.ENTERPRISE
    return (
        Endpoint(f"{admin}/me", Area.ME, lists.me),
        Endpoint(f"{admin}/users", Area.USERS, lists.users),
        Endpoint(f"{admin}/invites", Area.INVITES, lists.invites),
        Endpoint(f"{admin}/api_keys", Area.API_KEYS, lists.api_keys),
        Endpoint(f"{admin}/workspaces", Area.WORKSPACES, lists.workspaces),
        Endpoint(f"{admin}/service_accounts", Area.SERVICE_ACCOUNTS, lists.service_accounts),
        Endpoint(f"{admin}/analytics/usage", Area.USAGE, usage_analytics, newer),
        Endpoint(f"{reporting}/messages", Area.USAGE, reports.messages_report, older),
        Endpoint(f"{reporting}/claude_code", Area.USAGE, reports.claude_code_report, older),
        Endpoint(f"{admin}/analytics/users", Area.ENTERPRISE_ANALYTICS, enterprise.analytics_users, enterprises),
        Endpoint("/v1/compliance/activities", Area.FEED, activities.activities),
    )


def create_app(organization: Organization, *, clock: Callable[[], datetime], options: Options | None = None) -> ASGIApp:
    """The API of one organization, at the time that the clock tells with each request."""
    options = options or Options()
    desk = _Desk(organization, clock, options)
    routes = [Route(endpoint.path, desk.serving(endpoint), methods=["GET"]) for endpoint in _endpoints(organization)]
    app = Starlette(routes=routes, exception_handlers={HTTPException: desk.refuse})
    return Faulty(app, options.fault_plan)


class _Desk:
    """Where requests arrive: each gets an id, its key and version are looked at, then its endpoint answers."""

    def __init__(self, organization: Organization, clock: Callable[[], datetime], options: Options) -> None:
        self._organization, self._clock, self._options = organization, clock, options
        self._requests = 0

    def serving(self, endpoint: Endpoint) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            if self._options.latency_seconds:
                await asyncio.sleep(self._options.latency_seconds)
            request_id = self._next_id()
            try:
                return _response(200, endpoint.answer(self._call(request, endpoint)), request_id)
            except ApiError as error:
                return _response(error.status, error.body(request_id), request_id)
            except Exception:
                # A bug of the sandbox, told here: to its callers it looks like any 500.
                _log.exception("%s failed", request.url)
                return _response(500, ApiError(500, "Internal server error").body(request_id), request_id)

        return serve

    async def refuse(self, request: Request, problem: Exception) -> Response:
        """Paths and methods that the API does not have."""
        status = problem.status_code if isinstance(problem, HTTPException) else 500
        message = "Method not allowed" if status == 405 else "Not found"
        request_id = self._next_id()
        return _response(status, ApiError(status, message).body(request_id), request_id)

    def _call(self, request: Request, endpoint: Endpoint) -> Call:
        access = _authenticated(request)
        version = _version(request)
        self._permit(access, endpoint)
        return Call(
            organization=self._organization,
            options=self._options,
            access=access,
            query=Query(request.query_params.multi_items()),
            headers=request.headers,
            now=self._clock().astimezone(UTC),
            newer=version >= NEWER_VERSION,
        )

    def _permit(self, access: Access, endpoint: Endpoint) -> None:
        if endpoint.area not in access.areas:
            raise _refusal(access.refusal)
        generation = UsageGeneration.ENTERPRISE if access.of_enterprise else self._options.usage
        if endpoint.generation not in (None, generation):
            raise _refusal(404)

    def _next_id(self) -> str:
        self._requests += 1
        return tagged_id("req", self._organization.seed, self._requests)


def _authenticated(request: Request) -> Access:
    """What the request's key may, given as `x-api-key` or as `Authorization: Bearer`."""
    bearer = request.headers.get("authorization", "")
    key = request.headers.get("x-api-key") or (bearer.removeprefix("Bearer ") if bearer.startswith("Bearer ") else "")
    access = access_of(key)
    if access is None:
        raise ApiError(401, "invalid x-api-key" if key else "x-api-key: header is required")
    return access


def _version(request: Request) -> str:
    version = request.headers.get("anthropic-version")
    if version is None:
        raise ApiError(400, "anthropic-version: header is required")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", version):
        raise ApiError(400, f"anthropic-version: {version!r} is not a valid version")
    return version


def _refusal(status: int) -> ApiError:
    if status == 404:
        return ApiError(404, "Not found")
    return ApiError(403, "Your API key does not have permission to use the specified resource.")


def _response(status: int, body: object, request_id: str) -> Response:
    return Response(msgspec.json.encode(body), status, {"request-id": request_id}, "application/json")
