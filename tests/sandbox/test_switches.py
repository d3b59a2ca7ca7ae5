"""Organizations that lack something, refuse something, or change their shape in midlife; answers that go wrong."""

import zlib
from datetime import datetime, timedelta
from typing import Any

import anthropic
import httpx
import pytest

from sandbox import Fault, FaultPlan, KeyShape, Listing, Organization, Quirks, UsageGeneration
from tests.sandbox.clients import NOW, Api, Serve

pytestmark = pytest.mark.slow

NEWER = {"anthropic-version": "2026-10-21"}


def test_the_newer_key_shape_may_keep_the_deprecated_workspace_beside_it(serve: Serve, organization: Organization):
    both = serve(key_shape=KeyShape.BOTH)
    for headers in ({}, NEWER):
        keys = both.ok("api_keys", headers, limit=1000)["data"]
        for row, told in zip(organization.api_keys(NOW), keys, strict=True):
            assert told["workspace_id"] == row.workspace_id
            if row.of_organization:
                assert (told["scope"], told["workspace_id"]) == ({"type": "organization"}, None)
            else:
                workspace_id = row.workspace_id or organization.default_workspace.id
                assert told["scope"] == {"type": "workspace", "workspace_id": workspace_id}
            if row.principal:
                assert told["principal"]["type"] == f"{row.principal.type}_actor"
    assert {row.of_organization for row in organization.api_keys(NOW) if row.workspace_id is None} == {True, False}


def test_the_key_shape_may_change_at_an_instant(serve: Serve):
    api = serve(key_shape=KeyShape.OLDER, key_shape_from=(NOW, KeyShape.BOTH))

    def has_scope(now: datetime) -> bool:
        api.clock.set(now)
        return "scope" in api.ok("api_keys")["data"][0]

    assert [has_scope(NOW - timedelta(seconds=1)), has_scope(NOW)] == [False, True]


def test_an_organization_may_rename_itself(serve: Serve):
    company = Organization("renamed", 5, 1, name="Old Name AG", quirks=Quirks(renamed=(NOW, "New & Name AG")))
    api = serve(company)

    def name(now: datetime) -> str:
        api.clock.set(now)
        return str(api.ok("me")["name"])

    assert [name(NOW - timedelta(seconds=1)), name(NOW)] == ["Old Name AG", "New & Name AG"]


def test_some_types_of_organization_have_no_workspaces(serve: Serve):
    api = serve(workspaces_supported=False)
    error = api.get("workspaces", include_archived=True).json()["error"]
    assert error["type"] == "invalid_request_error"
    with (
        anthropic.Anthropic(
            api_key="sk-ant-admin01-sdk",
            base_url=api.base_url,
            max_retries=0,
            http_client=anthropic.DefaultHttpxClient(trust_env=False),
        ) as sdk,
        pytest.raises(anthropic.BadRequestError) as refused,
    ):
        sdk.beta.organization.workspaces.list()
    assert type(refused.value).__name__ == "OrganizationTypeNotSupportedError"


def test_an_older_server_does_not_know_include_default(serve: Serve):
    api = serve(knows_include_default=False)
    assert api.get("workspaces", include_archived=True).status_code == 200
    refused = api.get("workspaces", include_default=True)
    assert (refused.status_code, "include_default: Extra inputs" in refused.text) == (400, True)


def test_lists_can_be_refused_for_a_night(serve: Serve):
    api = serve()
    every = {
        Listing.USERS: {},
        Listing.API_KEYS: {},
        Listing.INVITES: {},
        Listing.WORKSPACES: {},
        Listing.ANALYTICS_USAGE: {"starting_at": "2026-11-20T00:00:00Z"},
    }

    def statuses() -> list[int]:
        return [api.get(name, **params).status_code for name, params in every.items()]

    api.switches.set(refused={Listing.USERS: 403, Listing.INVITES: 404, Listing.ANALYTICS_USAGE: 400, "api_keys": 500})
    assert statuses() == [403, 500, 404, 200, 400]
    error = api.get("invites").json()["error"]
    assert (error["type"], bool(error["message"])) == ("not_found_error", True)
    api.switches.set(refused={})
    assert statuses() == [200] * 5


def test_the_feed_can_be_refused_as_well(serve: Serve):
    assert serve(refused={Listing.ACTIVITIES: 403}).get("/v1/compliance/activities").status_code == 403


@pytest.mark.parametrize(("percent", "share"), [(0, 1.0), (10, 0.9), (60, 0.4), (100, 0.0)])
def test_the_claude_code_report_may_miss_any_share_of_people(
    serve: Serve, organization: Organization, percent: int, share: float
):
    api = serve(usage=UsageGeneration.REPORTS, claude_code_missed_percent=percent)
    days = [NOW.date() - timedelta(days=ago) for ago in range(4, 32)]
    told = [_named(api, str(day)) for day in days]
    used = [
        {use.user_id for use in organization.usage(day) if use.product == "claude_code" and not use.api_key_id}
        for day in days
    ]
    assert abs(len(set().union(*told)) / len(set().union(*used)) - share) < 0.1
    keys = api.ok("usage_report/claude_code", starting_at="2026-11-20", limit=1000)["data"]
    assert any(record["actor"]["type"] == "api_actor" for record in keys)


def test_a_share_of_use_may_be_attributed_to_nobody(serve: Serve, organization: Organization):
    query = {
        "starting_at": "2026-11-16T00:00:00Z",
        "ending_at": "2026-11-23T00:00:00Z",
        "time_bucket_width": "1d",
        "limit": 1000,
        "group_by[]": ["actor", "actor_type", "api_key_id"],
    }
    rows = serve(unattributed_percent=30).ok("analytics/usage", **query)["data"]
    nobody = [row for row in rows if row["group"]["actor"] is None]
    assert {row["group"]["actor_type"] for row in nobody} == {None}
    assert {row["group"]["api_key_id"] is None for row in nobody} == {True, False}
    requests = sum(use.requests for ago in range(2, 9) for use in organization.usage(NOW.date() - timedelta(days=ago)))
    assert sum(row["usage"]["requests"] for row in rows) == requests
    assert 0.2 < sum(row["usage"]["requests"] for row in nobody) / requests < 0.4
    blind = serve(unattributed_percent=100).ok("analytics/usage", **query)["data"]
    assert {row["group"]["actor"] for row in blind} == {None}


def test_enterprise_analytics_may_leave_out_the_last_activity_and_call_their_list_otherwise(serve: Serve):
    query: dict[str, Any] = {"starting_date": "2026-11-02", "ending_date": "2026-11-16", "limit": 1000}
    usual = serve(usage=UsageGeneration.ENTERPRISE).ok("analytics/users", **query)
    sparse = serve(usage=UsageGeneration.ENTERPRISE, tells_last_activity=False).ok("analytics/users", **query)
    renamed = serve(usage=UsageGeneration.ENTERPRISE, users_as_summaries=True).ok("analytics/users", **query)
    assert [row.keys() - other.keys() for row, other in zip(usual["data"], sparse["data"], strict=True)] == [
        {"last_activity_date"}
    ] * len(usual["data"])
    assert "data" not in renamed
    assert renamed["summaries"] == usual["data"]


def test_answers_tell_the_time_of_the_sandboxs_clock_unless_they_are_not_to(serve: Serve):
    api = serve(refused={Listing.USERS: 403})
    assert {api.get(path).headers["date"] for path in ("me", "users", "/nowhere")} == {"Tue, 24 Nov 2026 02:15:00 GMT"}
    api.switches.set(tells_time=False)
    assert "date" not in api.get("me").headers


def failing_by(serve: Serve, fault: Fault, **plan: float) -> Api:
    return serve(fault_plan=FaultPlan(every=1, faults=(fault,), **plan))


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 529])
def test_an_error_may_come_in_the_apis_form(serve: Serve, status: int):
    answer = failing_by(serve, Fault(str(status))).get("me")
    assert (answer.status_code, answer.json()["type"]) == (status, "error")


@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_error_may_come_as_a_gateways_page(serve: Serve, status: int):
    answer = failing_by(serve, Fault(str(status))).get("me")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATED, Fault.TRUNCATED_CHUNKS])
def test_an_answer_may_be_cut_so_that_http_notices(serve: Serve, fault: Fault):
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        failing_by(serve, fault).get("me")


def test_an_answer_may_be_cut_or_garbled_so_that_only_its_reader_notices(serve: Serve):
    whole = serve().get("me").content
    cut = failing_by(serve, Fault.TRUNCATED_WITHOUT_LENGTH).get("me")
    assert (cut.status_code, cut.content) == (200, whole[: len(whole) // 2])
    assert failing_by(serve, Fault.GARBLED).get("me").content == whole[::-1]


def test_an_answer_may_never_come(serve: Serve):
    with pytest.raises(httpx.ReadTimeout):
        failing_by(serve, Fault.SILENT).client.get("/v1/organizations/me", timeout=0.1)


@pytest.mark.parametrize("fault", [Fault.SLOW_HEADERS, Fault.SLOW_BODY])
def test_an_answer_may_drip_and_is_a_good_one_in_the_end(serve: Serve, fault: Fault):
    assert failing_by(serve, fault, drip_seconds=1e-6).ok("me") == serve().ok("me")


def test_an_answer_may_be_packed_a_thousand_times_smaller_than_it_is(serve: Serve):
    with failing_by(serve, Fault.BOMB).client.stream("GET", "/v1/organizations/me") as answer:
        packed = b"".join(answer.iter_raw())
    assert len(packed) < 2 * 1024**2
    assert int.from_bytes(packed[-4:], "little") > 1024**3, "what gzip says that it holds"
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert not unpacking.decompress(packed, 64 * 1024**2).strip()
    assert unpacking.unconsumed_tail


def _named(api: Api, day: str) -> set[str]:
    rows = api.ok("usage_report/claude_code", starting_at=day, limit=1000)["data"]
    return {row["actor"]["email_address"] for row in rows if row["actor"]["type"] == "user_actor"}
