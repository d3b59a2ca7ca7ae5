"""Reports that stand still from one instant to another, and then know everything after all."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sandbox import Listing, Organization, Stall, UsageGeneration
from tests.sandbox.clients import Api, Serve

STALLED_AT, RESUMED_AT = datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 22, 12, tzinfo=UTC)
MEANWHILE = datetime(2026, 11, 20, 2, tzinfo=UTC)
STALL = Stall(since=STALLED_AT, until=RESUMED_AT)
SPAN = {"starting_at": "2026-11-13T00:00:00Z", "ending_at": "2026-11-20T00:00:00Z"}
EARLIER, STALLED = ["2026-11-13", "2026-11-14", "2026-11-15"], [f"2026-11-{day}" for day in range(16, 20)]


def test_analytics_stand_still_and_say_since_when(serve: Serve):
    api = serve(stalls=(STALL,))

    def days(now: datetime) -> tuple[set[str], str]:
        api.clock.set(now)
        page = api.ok("analytics/usage", **SPAN, time_bucket_width="1d", limit=1000)
        return {row["starting_at"][:10] for row in page["data"]}, page["data_refreshed_at"]

    assert days(MEANWHILE) == ({*EARLIER}, "2026-11-16T00:00:00Z")
    assert days(RESUMED_AT) == ({*EARLIER, *STALLED}, "2026-11-22T11:45:00Z")


@pytest.mark.parametrize("days_missing", [False, True])
def test_stalled_days_of_the_messages_report_are_empty_or_missing(serve: Serve, days_missing: bool):
    stall = Stall(since=STALLED_AT, until=RESUMED_AT, days_missing=days_missing)
    api = serve(usage=UsageGeneration.REPORTS, stalls=(stall,))
    api.clock.set(MEANWHILE)
    buckets = _buckets(api)
    assert {day for day, results in buckets.items() if results} == {*EARLIER}
    assert [*buckets] == (EARLIER if days_missing else [*EARLIER, *STALLED])
    api.clock.set(RESUMED_AT)
    assert all(_buckets(api).values())


def test_stalled_days_of_the_claude_code_report_are_empty(serve: Serve):
    api = serve(usage=UsageGeneration.REPORTS, stalls=(STALL,))

    def records(day: str) -> list[Any]:
        return list(api.ok("usage_report/claude_code", starting_at=day, limit=1000)["data"])

    api.clock.set(MEANWHILE)
    assert records("2026-11-13")
    assert records("2026-11-17") == []
    api.clock.set(RESUMED_AT)
    assert records("2026-11-17")


def test_stalled_days_of_the_enterprise_analytics_are_refused_with_the_latest_one(serve: Serve):
    api = serve(usage=UsageGeneration.ENTERPRISE, stalls=(STALL,))
    api.clock.set(MEANWHILE)
    refused = api.get("analytics/users", {"x-api-key": "sk-ant-api01-enterprise"}, date="2026-11-16")
    assert (refused.status_code, "latest available day is 2026-11-15" in refused.text) == (400, True)
    assert api.ok("analytics/users", date="2026-11-15")["data"]
    api.clock.set(RESUMED_AT)
    assert api.ok("analytics/users", date="2026-11-16")["data"]


def test_a_stall_may_hold_one_report_only(serve: Serve, organization: Organization):
    stall = Stall(since=STALLED_AT, until=RESUMED_AT, reports=frozenset({Listing.CLAUDE_CODE}))
    api = serve(usage=UsageGeneration.REPORTS, stalls=(stall,))
    api.clock.set(MEANWHILE)
    assert all(_buckets(api).values())
    assert any(use.product == "claude_code" for use in organization.usage(date(2026, 11, 17)))
    assert api.ok("usage_report/claude_code", starting_at="2026-11-17")["data"] == []


def test_what_was_known_when_it_stalled_is_told_until_it_goes_on(serve: Serve):
    api = serve(stalls=(STALL,))

    def total(now: datetime) -> int:
        api.clock.set(now)
        rows = api.ok("analytics/usage", starting_at="2026-11-10T00:00:00Z", ending_at="2026-11-24T00:00:00Z")["data"]
        return int(rows[0]["usage"]["requests"])

    at_stall = total(STALLED_AT + timedelta(minutes=15))
    assert total(MEANWHILE) == total(RESUMED_AT - timedelta(seconds=1)) == at_stall < total(RESUMED_AT)


def _buckets(api: Api) -> dict[str, list[Any]]:
    data = api.ok("usage_report/messages", **SPAN)["data"]
    return {bucket["starting_at"][:10]: bucket["results"] for bucket in data}
