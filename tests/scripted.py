"""An Admin API that says what a test wants it to say, and a pipeline's nights against it without Dagster."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assets.extraction.client import Client
from assets.extraction.coverage import covered_to, spoke_to
from assets.extraction.landing import Observation
from assets.extraction.observe import observe
from assets.extraction.organizations import Access, KeyHolder, who_is
from assets.files.publishing import discard, publishing
from assets.layout import DataDirectory, snapshot_file, usage_file
from assets.resources import DropGuard
from assets.snapshots.ending import Derived, Loading
from assets.snapshots.observed.derive import derive
from assets.snapshots.past.fill import DATASETS
from assets.snapshots.restatement import restate
from assets.snapshots.snapshot import SnapshotFacts, read_facts

DAY = date(2026, 6, 1)
NEXT_NIGHT = datetime(2026, 6, 2, 2, tzinfo=UTC)
KEY = "sk-ant-admin01-scripted"
ORGANIZATION = {"id": "org_1", "type": "organization", "name": "Acme"}
USAGE_LISTS = {
    "analytics/usage": "analytics_usage",
    "usage_report/messages": "messages_usage",
    "usage_report/claude_code": "claude_code",
    "analytics/users": "analytics_users",
    "/v1/compliance/activities": "activities",
}
FEED = "/v1/compliance/activities"
ROSTERS = ("users", "api_keys", "invites", "workspaces")

Row = dict[str, Any]
Handler = Callable[[httpx.Request], httpx.Response]


def user(number: int, **fields: Any) -> Row:
    return {
        "id": f"user_{number:04}",
        "type": "user",
        "email": f"user{number}@acme.example",
        "name": f"User {number}",
        "role": "user",
        "added_at": "2026-01-05T08:00:00.123456Z",
    } | fields


def api_key(number: int, **fields: Any) -> Row:
    return {
        "id": f"apikey_{number:04}",
        "type": "api_key",
        "name": f"Key {number}",
        "status": "active",
        "created_at": "2026-01-06T08:00:00Z",
        "created_by": None,
    } | fields


def invite(number: int, **fields: Any) -> Row:
    return {
        "id": f"invite_{number:04}",
        "type": "invite",
        "email": f"guest{number}@acme.example",
        "role": "developer",
        "status": "pending",
        "invited_at": "2026-05-20T08:00:00Z",
        "expires_at": "2026-06-20T08:00:00Z",
    } | fields


def used(day: str, *, actor: Row | None = None, key: str | None = None, **group: Any) -> Row:
    """A row of the newer usage endpoint; where nobody else is, the key is the actor."""
    if actor is None and key:
        actor = {"type": "api_actor", "api_key_id": key}
    return {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{date.fromisoformat(day) + timedelta(days=1)}T00:00:00Z",
        "group": {"actor": actor, "api_key_id": key} | group,
        "usage": {"total_tokens": 7},
    }


def person(user_id: str | None, email: str | None = None) -> Row:
    return {"type": "user_actor", "user_id": user_id, "email_address": email}


def messages(day: str, *results: Row) -> Row:
    """A bucket of the older message report."""
    return {"starting_at": f"{day}T00:00:00Z", "results": list(results)}


def workspace(number: int, **fields: Any) -> Row:
    return {"id": f"wrkspc_{number}", "name": f"Workspace {number}", "created_at": "2026-01-01T00:00:00Z"} | fields


def activity(number: int, at: str, type: str, organization: str | None = "org_1", **fields: Any) -> Row:
    """An entry of the Activity Feed, by default of our organization."""
    return {
        "id": f"activity_{number:04}",
        "created_at": at,
        "organization_id": organization,
        "organization_uuid": None,
        "type": type,
    } | fields


def claude_code(day: str, **actor: Any) -> Row:
    return {"date": f"{day}T00:00:00Z", "actor": actor, "terminal_type": "vscode"}


def error(status: int, message: str = "as the test wants it", **headers: str) -> httpx.Response:
    kinds = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
    body = {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": message}}
    headers = {"request-id": "req_42"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=headers)


def page(rows: list[Row], *, has_more: Any = False, last_id: str | None = None, **fields: Any) -> httpx.Response:
    body = {"data": rows, "has_more": has_more, "first_id": rows[0].get("id") if rows else None, "last_id": last_id}
    return httpx.Response(200, json=body | fields, headers={"request-id": "req_7"})


class ScriptedApi:
    """An organization of the rows given; `says` replaces one endpoint's answers, by the end of its path.

    Usage endpoints and the Activity Feed (newest first) are not there (404) until they are given rows.
    """

    def __init__(self, **lists: list[Row]) -> None:
        self.me: Row = dict(ORGANIZATION)
        self.lists: dict[str, list[Row]] = {name: [] for name in ROSTERS} | lists
        self.says: dict[str, Handler] = {}
        self.page_size = 1000
        self.refreshed_at: str | None = "2099-01-01T00:00:00Z"
        """Up to when the newer usage report is: it says so, and by default has everything."""
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        name = request.url.path.removeprefix("/v1/organizations/")
        if name in self.says:
            return self.says[name](request)
        return self.answer(request)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the organization itself says, whatever `says` holds."""
        name = request.url.path.removeprefix("/v1/organizations/")
        if name == "me":
            return httpx.Response(200, json=self.me, headers={"request-id": "req_1"})
        if name in ROSTERS:
            return self._by_cursor(self.lists[name], request.url.params)
        rows = self.lists.get(USAGE_LISTS.get(name, name))
        if rows is None:
            return error(404, "Not found")
        if name == FEED:
            return self._by_cursor(_between(rows, request.url.params), request.url.params)
        rows = _of_span(rows, request.url.params)
        return self._by_token(
            _buckets(rows, request.url.params) if "bucket_width" in request.url.params else rows, request
        )

    def _by_cursor(self, rows: list[Row], params: httpx.QueryParams) -> httpx.Response:
        first = 0
        if "after_id" in params:
            places = [place for place, row in enumerate(rows) if row["id"] == params["after_id"]]
            if not places:
                return error(404, "after_id was not found")
            first = places[-1] + 1
        part = rows[first : first + self.page_size]
        return page(part, has_more=first + len(part) < len(rows), last_id=part[-1]["id"] if part else None)

    def _by_token(self, rows: list[Row], request: httpx.Request) -> httpx.Response:
        first = int(request.url.params.get("page", "page_0").removeprefix("page_"))
        end = first + self.page_size
        more = end < len(rows)
        body = {"data": rows[first:end], "has_more": more, "next_page": f"page_{end}" if more else None}
        if request.url.path.endswith("analytics/usage"):
            body["data_refreshed_at"] = self.refreshed_at
        return httpx.Response(200, json=body)


def _between(rows: list[Row], params: httpx.QueryParams) -> list[Row]:
    """The activities of the types and times asked for; whose they are, this server does not look at."""
    types = params.get_list("activity_types[]")
    return [
        row
        for row in rows
        if (not types or row["type"] in types)
        and params.get("created_at.gte", "") <= row["created_at"]
        and row["created_at"] <= params.get("created_at.lte", "~")
        and row["created_at"] < params.get("created_at.lt", "~")
    ]


def _buckets(rows: list[Row], params: httpx.QueryParams) -> list[Row]:
    """The message report has a bucket for each day, the empty ones too."""
    told = {row["starting_at"][:10]: row for row in rows}
    first, after = (date.fromisoformat(params[name][:10]) for name in ("starting_at", "ending_at"))
    days = [(first + timedelta(days=n)).isoformat() for n in range((after - first).days)]
    return [told.get(day) or messages(day) for day in days]


def _of_span(rows: list[Row], params: httpx.QueryParams) -> list[Row]:
    """The rows of the days asked for; Claude Code is asked day by day."""
    first = params.get("starting_at", params.get("starting_date", ""))[:10]
    after = params.get("ending_at", params.get("ending_date", first + "~"))[:10]
    days = [(row.get("starting_at") or row.get("date") or row.get("last_activity_date") or first)[:10] for row in rows]
    return [row for row, day in zip(rows, days, strict=True) if first <= day < after or day == first]


def as_app(handler: Handler) -> Starlette:
    """The same answers over real HTTP, for `serving`."""

    def answer(request: Request) -> Response:
        given = handler(httpx.Request("GET", str(request.url), headers=request.headers.raw))
        return Response(given.content, given.status_code, dict(given.headers))

    return Starlette(routes=[Route("/{path:path}", answer)])


class Nights:
    """One organization's nights, from the answers to the published files, as the job would make them."""

    def __init__(self, root: Path, api: Handler, *keys: str) -> None:
        self.data = DataDirectory(root)
        self.api: Any = api  # a ScriptedApi mostly, to whose lists and words tests add
        self.keys = keys or (KEY,)

    def access(self, address: str = "https://api.test") -> Access:
        holders = [
            KeyHolder(f"KEY_{place}", Client(address, key, transport=httpx.MockTransport(self.api)))
            for place, key in enumerate(self.keys, start=1)
        ]
        return Access(who_is(holders[0].client), "the organization", tuple(holders))

    def observe(self, day: date = DAY, at: datetime | None = None, *, again: bool = True) -> Observation:
        """What the API says now; unless `again`, what an earlier attempt at the day has heard is not asked for."""
        access = self.access()
        return observe(
            access,
            day,
            data=self.data,
            observed_at=at or datetime.combine(day, NEXT_NIGHT.timetz()) + timedelta(days=1),
            run_id="run_1",
            covered_to=covered_to(self.data, access.organization.id, day),
            spoke_to=spoke_to(self.data, access.organization.id, day),
            again=again,
        )

    def derive(
        self, observation: Observation, guard: DropGuard | None = None, loading: Loading | None = None
    ) -> Derived:
        """Derive and publish, by default at once."""
        staged = self.data.staging("run_1")
        loading = loading or Loading(observation.manifest.observed_at, observation.manifest.run_id)
        try:
            derived = derive(observation, self.data, staged, guard or DropGuard(), loading)
            restate(self.data, staged)
            with publishing(staged, self.data, DATASETS):
                return derived
        finally:
            discard(staged)

    def night(self, day: date = DAY, at: datetime | None = None, guard: DropGuard | None = None) -> dict[str, Row]:
        """Observe, derive and publish a day; its rows by the holder's id."""
        self.derive(self.observe(day, at), guard)
        return self.rows(day)

    def file(self, day: date = DAY) -> Path:
        return snapshot_file(self.data, day, "org_1")

    def usage(self, day: date = DAY) -> list[Row]:
        """What the observation of a day said of usage."""
        return pq.ParquetFile(usage_file(self.data.usage, day, "org_1")).read().to_pylist()

    def coverage(self, day: date = DAY) -> set[tuple[str, str, str, str, str]]:
        """Per endpoint and kind of holder, how much it saw, from when, to when."""
        rows = pq.ParquetFile(usage_file(self.data.coverage, day, "org_1")).read().to_pylist()
        names = ("endpoint", "holder_type", "sees", "covered_from", "covered_to")
        return {tuple(str(row[name]) for name in names) for row in rows}  # type: ignore[misc]  # five they are

    def rows(self, day: date = DAY) -> dict[str, Row]:
        rows = pq.ParquetFile(self.file(day)).read().to_pylist()
        assert len({row["holder_id"] for row in rows}) == len(rows)
        return {row["holder_id"]: row for row in rows}

    def facts(self, day: date = DAY) -> SnapshotFacts:
        facts = read_facts(self.file(day))
        assert facts is not None
        return facts

    def manifest(self, day: date = DAY) -> Mapping[str, Any]:
        """The newest manifest of a day, read as anybody would."""
        folder = sorted((self.data.root / "landing" / "org_1" / day.isoformat()).iterdir())[-1]
        return json.loads((folder / "manifest.json").read_text())
