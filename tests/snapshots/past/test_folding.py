"""What cannot be filled is told once for each organization and reason, with its days, however many they are."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from assets.snapshots.past.plan import Action, DayPlan, folded, folded_by_organization
from assets.spans import days_between, is_in, told_spans
from sandbox import Options
from tests.snapshots.past.conftest import LAST, Company

pytestmark = pytest.mark.slow


def day(number: int) -> date:
    return date(2026, 1, number)


def refused(organization_id: str, number: int, why: str) -> DayPlan:
    return DayPlan(organization_id, day(number), Action.IMPOSSIBLE, why)


def test_days_of_one_reason_are_one_sentence_whatever_stands_between_them():
    plans = [refused("org_a", one, "not seen" if one % 4 else "no feed") for one in range(1, 10)]
    plans.append(refused("org_b", 2, "no feed"))
    assert folded(reversed(plans)) == [
        "org_b, 2026-01-02 cannot be filled: no feed.",
        "org_a, 2026-01-01 to 2026-01-03, 2026-01-05 to 2026-01-07, 2026-01-09 (7 days) cannot be filled: not seen.",
        "org_a, 2026-01-04, 2026-01-08 (2 days) cannot be filled: no feed.",
    ]
    assert [one for one, _ in folded_by_organization(plans)] == ["org_a", "org_a", "org_b"]


def test_days_that_the_drop_guard_refused_are_told_each_with_its_own_counts():
    plans = [replace(refused("org_a", one, f"On day {one} many are gone"), action=Action.REFUSED) for one in (1, 2)]
    assert folded(plans) == [
        "org_a, 2026-01-01 cannot be filled: On day 1 many are gone.",
        "org_a, 2026-01-02 cannot be filled: On day 2 many are gone.",
    ]


def test_a_day_is_found_again_in_the_sentence_that_tells_of_it():
    told = folded(refused("org_a", one, "nobody looked since 2026-01-20") for one in (1, 2, 3, 7))
    found = [one for one in range(1, 32) if refused("org_a", one, "").is_refused_in(["org_a failed.", *told])]
    assert found == [1, 2, 3, 7]
    assert not refused("org_b", 1, "").is_refused_in(told)


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ([1], "2026-01-01"),
        ([2, 1], "2026-01-01 to 2026-01-02 (2 days)"),
        ([1, 3, 4, 5, 9], "2026-01-01, 2026-01-03 to 2026-01-05, 2026-01-09 (5 days)"),
    ],
)
def test_days_are_told_as_spans(days: list[int], told: str):
    assert told_spans(map(day, days)) == told
    assert [one for one in range(1, 32) if is_in(day(one), told)] == sorted(days)


def test_the_plan_of_half_a_year_is_a_handful_of_lines(company: Company):
    operator = company(Options(feed_since=datetime(2026, 11, 15, 9, tzinfo=UTC)))
    first = LAST - timedelta(days=180)
    told = operator("backfill", "--from", str(first), "--to", str(LAST), "--dry-run")
    assert told.status == 3
    head, impossible, reconstructed, kept, end = told.out.splitlines()
    assert (head, end) == (f"Plan for {first} to {LAST}:", "Dry run: nothing was done.")
    assert f"{first} to 2026-11-" in impossible
    assert "cannot be filled: the Activity Feed proves nothing before 2026-11-" in impossible
    assert "days): reconstruct, rolled back from the snapshot of 2026-11-20" in reconstructed
    assert kept.endswith(f"{LAST}: there already")


def test_days_that_are_there_do_not_tear_a_reason_apart(company: Company):
    operator = company(Options(feed=False))
    assert operator.night(LAST + timedelta(days=4)).status == 0
    assert operator.night(LAST + timedelta(days=8)).status == 0
    last = LAST + timedelta(days=8)
    told = operator("backfill", "--from", str(LAST), "--to", str(last), "--dry-run")
    kept, impossible = told.out.splitlines()[1:-1]
    assert "2026-11-20, 2026-11-24, 2026-11-28 (3 days): there already" in kept
    assert "2026-11-21 to 2026-11-23, 2026-11-25 to 2026-11-27 (6 days): cannot be filled" in impossible


def test_what_the_run_found_out_is_told_once_for_each_reason(company: Company):
    """Additions that the feed has missed are seen only when it has been fetched."""
    off = (datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC))
    operator = company(Options(feed_outage=off))
    told = operator("backfill", "--from", "2026-07-01", "--to", str(LAST - timedelta(days=1)))
    assert told.status == 3, told.err
    sentences = told.err.splitlines()
    assert len(sentences) == len(set(sentences)) < 6
    ((first,),) = operator.ask("select min(snapshot_date) from snapshot_log")
    lost = days_between(date(2026, 7, 1), first - timedelta(days=1))
    named = [one.partition(", ")[2].partition(" cannot be filled")[0] for one in sentences]
    assert [sum(is_in(one, spans) for spans in named) for one in lost] == [1] * len(lost)
    assert f"{len(lost)} could not be filled, as told above" in told.out
