"""The three generations of usage endpoints: what they tell, what they leave out, what they refuse."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sandbox import Organization, UsageGeneration
from sandbox.rows import Use
from tests.sandbox.clients import NOW, Api, Serve

WEEK = {"starting_at": "2026-11-16T00:00:00Z", "ending_at": "2026-11-23T00:00:00Z"}
DAILY = {**WEEK, "time_bucket_width": "1d", "order_by": "time", "order": "asc", "limit": 1000}


@pytest.fixture(scope="module")
def reports(serve: Serve) -> Api:
    return serve(usage=UsageGeneration.REPORTS)


@pytest.fixture(scope="module")
def enterprise(serve: Serve) -> Api:
    return serve(usage=UsageGeneration.ENTERPRISE)


def test_analytics_name_every_person_and_key_that_used_tokens(api: Api, organization: Organization):
    told = [
        row
        for page in api.by_page_token("analytics/usage", **DAILY, **{"group_by[]": ["api_key_id", "actor", "product"]})
        for row in page
    ]
    seen = Counter(
        (row["starting_at"][:10], row["group"]["api_key_id"], _actor_id(row["group"]["actor"]), row["group"]["product"])
        for row in told
    )
    expected = Counter(
        (str(use.at.date()), use.api_key_id, use.user_id or use.service_account_id or use.api_key_id, use.product)
        for use in _week(organization)
    )
    assert seen == expected
    assert [row["starting_at"] for row in told] == sorted(row["starting_at"] for row in told)
    assert sum(row["usage"]["total_tokens"] for row in told) == sum(map(_tokens, _week(organization)))


def test_analytics_know_who_has_left(api: Api, organization: Organization):
    members = {row.id for row in organization.members(NOW)}
    told = api.ok(
        "analytics/usage",
        starting_at="2026-01-01T00:00:00Z",
        ending_at="2026-01-31T00:00:00Z",
        limit=1000,
        **{"group_by[]": "actor"},
    )["data"]
    actors = [row["group"]["actor"] for row in told if row["group"]["actor"]["type"] == "user_actor"]
    assert {actor["deleted"] for actor in actors} == {True, False}
    assert all(actor["deleted"] == (actor["user_id"] not in members) for actor in actors)
    assert all(actor["email_address"] for actor in actors)


def test_analytics_without_groups_are_one_row(api: Api, organization: Organization):
    (row,) = api.ok("analytics/usage", **WEEK)["data"]
    assert row["usage"]["total_tokens"] == sum(map(_tokens, _week(organization)))
    assert not any(row["group"].values())


def test_a_walk_over_analytics_is_not_disturbed_by_the_clock(serve: Serve):
    api = serve()
    query = {**DAILY, "ending_at": "2026-11-25T00:00:00Z", "limit": 50, "group_by[]": ["actor", "api_key_id"]}
    undisturbed = list(api.by_page_token("analytics/usage", **query))
    walk = api.by_page_token("analytics/usage", **query)
    first = next(walk)
    api.clock.set(NOW + timedelta(hours=20))
    assert [first, *walk] == undisturbed
    assert sum(map(len, api.by_page_token("analytics/usage", **query))) > sum(map(len, undisturbed))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"starting_at": None}, "starting_at"),
        ({"ending_at": None}, "ending_at: Required"),
        ({"starting_at": "2025-12-31T00:00:00Z"}, "2026-01-01"),
        ({"starting_at": "2026-10-01T00:00:00Z"}, "31 days"),
        ({"ending_at": "2026-11-16T00:00:00Z"}, "after starting_at"),
        ({"starting_at": "2026-11-16T00:00:00"}, "time zone"),
        ({"limit": 1001}, "limit"),
        ({"group_by": "actor"}, "group_by: Extra inputs"),
        ({"group_by[]": "planet"}, "group_by[]"),
        ({"group_by[]": ["actor", "api_key_id", "model", "product", "speed", "workspace_id"]}, "At most 5"),
        ({"page": "page_x"}, "page"),
    ],
)
def test_what_analytics_refuse(api: Api, changes: dict[str, Any], message: str):
    query = {name: value for name, value in (DAILY | changes).items() if value is not None}
    answer = api.get("analytics/usage", **query)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_analytics_go_back_one_year(serve: Serve):
    api = serve()
    api.clock.set(datetime(2027, 6, 1, tzinfo=UTC))
    answer = api.get("analytics/usage", starting_at="2026-05-01T00:00:00Z")
    assert (answer.status_code, "365 days" in answer.text) == (400, True)


def test_analytics_need_their_beta_header(api: Api):
    answer = api.get("analytics/usage", {"anthropic-beta": "something-else"}, **DAILY)
    assert (answer.status_code, "anthropic-beta" in answer.text) == (400, True)


def test_a_token_of_another_query_is_refused(api: Api):
    token = api.ok("analytics/usage", **{**DAILY, "limit": 5, "group_by[]": "actor"})["next_page"]
    assert api.get("analytics/usage", **{**DAILY, "group_by[]": "model"}, page=token).status_code == 400


def test_messages_report_counts_by_day_and_key(reports: Api, organization: Organization):
    buckets = reports.ok("usage_report/messages", **WEEK, **{"group_by[]": ["api_key_id", "account_id"]})["data"]
    assert [bucket["starting_at"] for bucket in buckets] == [f"2026-11-{day}T00:00:00Z" for day in range(16, 23)]
    results = [(bucket["starting_at"][:10], row) for bucket in buckets for row in bucket["results"]]
    seen = {(day, row["api_key_id"], row["account_id"]) for day, row in results}
    assert {(day, key) for day, key, _ in seen if key} == {
        (str(use.at.date()), use.api_key_id) for use in _week(organization) if use.api_key_id
    }
    assert {(day, account) for day, _, account in seen if account} == {
        (str(use.at.date()), use.user_id)
        for use in _week(organization)
        if use.product == "claude_code" and not use.api_key_id
    }
    tokens = sum(row["uncached_input_tokens"] for _, row in results)
    assert tokens == sum(use.input_tokens for use in _week(organization))


def test_messages_report_shows_days_without_use_as_empty(serve: Serve):
    quiet = serve(Organization("quiet", 1, 0), usage=UsageGeneration.REPORTS)
    quiet.clock.set(datetime(2024, 6, 9, tzinfo=UTC))
    buckets = quiet.ok("usage_report/messages", starting_at="2024-05-27T00:00:00Z", limit=31)["data"]
    assert len(buckets) == 13
    assert buckets[0]["results"] == []


def test_messages_report_pages_by_bucket(reports: Api):
    query = {"starting_at": "2026-09-01T00:00:00Z"}
    page = reports.ok("usage_report/messages", **query)
    assert (len(page["data"]), page["has_more"]) == (7, True)
    days = [
        bucket["starting_at"] for page in reports.by_page_token("usage_report/messages", **query) for bucket in page
    ]
    assert len(days) == len({*days}) == (NOW.date() - date(2026, 9, 1)).days + 1
    assert reports.get("usage_report/messages", **query, limit=32).status_code == 400


def test_messages_report_has_other_widths(reports: Api, organization: Organization):
    hours = reports.ok(
        "usage_report/messages",
        starting_at="2026-11-20T00:00:00Z",
        ending_at="2026-11-21T00:00:00Z",
        bucket_width="1h",
    )["data"]
    assert len(hours) == 24
    tokens = sum(row["output_tokens"] for hour in hours for row in hour["results"])
    assert tokens == sum(use.output_tokens for use in organization.usage(date(2026, 11, 20)))


def test_claude_code_report_tells_addresses_and_key_names(reports: Api, organization: Organization):
    day = date(2026, 11, 20)
    records = [
        record
        for page in reports.by_page_token("usage_report/claude_code", starting_at=str(day), limit=20)
        for record in page
    ]
    addresses = {record["actor"].get("email_address") for record in records} - {None}
    names = {record["actor"].get("api_key_name") for record in records} - {None}
    used = [use for use in organization.usage(day) if use.product == "claude_code"]
    members = {row.id: row.email for row in organization.truth(day).members}
    keys = {row.id: row.name for row in organization.truth(day).api_keys}
    assert addresses < {members[use.user_id] for use in used if use.user_id and not use.api_key_id}
    assert names == {keys[use.api_key_id] for use in used if use.api_key_id}
    assert max(Counter(str(record["actor"]) for record in records).values()) == 2


def test_claude_code_report_leaves_out_the_last_hour(serve: Serve, organization: Organization):
    api = serve(usage=UsageGeneration.REPORTS)
    uses = [use for use in organization.usage(date(2026, 11, 20)) if use.product == "claude_code"]

    def records_at(now: datetime) -> int:
        api.clock.set(now)
        return len(api.ok("usage_report/claude_code", starting_at="2026-11-20", limit=1000)["data"])

    assert records_at(uses[0].at + timedelta(minutes=59)) == 0
    assert 0 < records_at(uses[-1].at) <= records_at(uses[-1].at + timedelta(minutes=61))


@pytest.mark.parametrize(
    "params", [{}, {"starting_at": "2026-11-20T00:00:00Z"}, {"starting_at": "2026-11-20", "limit": 0}]
)
def test_what_the_claude_code_report_refuses(reports: Api, params: dict[str, Any]):
    assert reports.get("usage_report/claude_code", **params).status_code == 400


def test_enterprise_analytics_tell_the_last_day_of_each_person(enterprise: Api, organization: Organization):
    rows = [
        row
        for page in enterprise.by_page_token(
            "analytics/users", starting_date="2026-11-02", ending_date="2026-11-16", limit=50
        )
        for row in page
    ]
    last: dict[str, str] = {}
    for number in range(2, 16):
        for use in organization.usage(date(2026, 11, number)):
            if use.user_id and not use.api_key_id:
                last[use.user_id] = str(use.at.date())
    assert {row["user"]["id"]: row["last_activity_date"] for row in rows} == last


def test_enterprise_analytics_are_late_and_say_so(enterprise: Api):
    refused = enterprise.get("analytics/users", date=str(NOW.date()))
    assert refused.status_code == 400
    latest = refused.json()["error"]["message"].rstrip(".").rsplit(" ", 1)[-1]
    assert timedelta(1) <= NOW.date() - date.fromisoformat(latest) <= timedelta(3)
    assert enterprise.ok("analytics/users", date=latest)["data"]
    following = date.fromisoformat(latest) + timedelta(1)
    assert enterprise.get("analytics/users", starting_date="2026-11-01", ending_date=str(following)).status_code == 200
    too_far = str(following + timedelta(1))
    assert enterprise.get("analytics/users", starting_date="2026-11-01", ending_date=too_far).status_code == 400


def test_enterprise_analytics_begin_in_2026(enterprise: Api):
    assert enterprise.get("analytics/users", date="2025-12-31").status_code == 400


@pytest.mark.parametrize("generation", UsageGeneration)
def test_a_generation_that_an_organization_lacks_is_not_found(serve: Serve, generation: UsageGeneration):
    api = serve(usage=generation)
    paths = {
        "analytics/usage?starting_at=2026-11-01T00:00:00Z": UsageGeneration.ANALYTICS,
        "usage_report/messages?starting_at=2026-11-01T00:00:00Z": UsageGeneration.REPORTS,
        "usage_report/claude_code?starting_at=2026-11-01": UsageGeneration.REPORTS,
        "analytics/users?date=2026-11-01": UsageGeneration.ENTERPRISE,
    }
    for path, owner in paths.items():
        assert api.get(path).status_code == (200 if owner is generation else 404)


def _week(organization: Organization) -> list[Use]:
    return [use for day in range(16, 23) for use in organization.usage(date(2026, 11, day))]


def _tokens(use: Use) -> int:
    return use.input_tokens + use.output_tokens + use.cache_read_tokens


def _actor_id(actor: dict[str, Any]) -> str:
    return str(actor.get("user_id") or actor.get("service_account_id") or actor.get("api_key_id"))
