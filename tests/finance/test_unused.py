"""Which seats are unused at a month's end, and how sure that is; two organizations in one report."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.finance.worlds import OCTOBER, Finance, days, observed
from tests.history.snapshots import Row, write_coverage, write_usage

LAST = date(2026, 10, 31)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Finance:
    """In `seen` a report watches since September; in `blind` none does."""
    world = Finance(tmp_path_factory.mktemp("unused"))
    world.reference(prices="User,seen,,,30.00,USD\nUser,blind,,,20.00,EUR", billing="seen,average,\nblind,peak,")
    old, new = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 10, 20, tzinfo=UTC)
    people: dict[str, Row] = {name: {"name": name, "assigned_at": old} for name in ("used", "stale", "never", "again")}
    people |= {"new": {"name": "new", "assigned_at": new}}
    write_coverage(world.tree, "seen", LAST, date(2026, 9, 1))
    uses = {"used": date(2026, 10, 20), "stale": date(2026, 9, 15), "again": date(2026, 11, 2)}
    write_usage(world.tree, "seen", LAST, [{"holder_id": who, "usage_date": day} for who, day in uses.items()])
    span = days(date(2026, 10, 25), LAST)
    world.publish(*(observed(day, people, organization) for day in span for organization in ("seen", "blind")))
    return world


def test_unused_is_what_a_source_watched_for_thirty_days_without_seeing_use(world: Finance):
    assert world.ask(
        """select name, days_since_last_use, days_unused_proven, certainty, is_unused from finance_unused
        where organization_id = 'seen' order by name"""
    ) == [
        ("again", None, 61, "at least", True),
        ("never", None, 61, "at least", True),
        ("stale", 46, 46, "exact", True),
    ]


def test_where_nobody_watches_nothing_is_proven_and_nothing_is_zero(world: Finance):
    certainties = world.ask("select distinct certainty, is_unused from finance_unused where organization_id = 'blind'")
    assert certainties == [("unknown", False)]
    assert world.ask(
        """select organization_id, unused_month_end, unused_unknown, cost_unused, currency from finance_monthly
        order by organization_id"""
    ) == [("blind", 0, 4, Decimal("0.00"), "EUR"), ("seen", 3, 0, Decimal("90.00"), "USD")]


@pytest.fixture(scope="module")
def partly(tmp_path_factory: pytest.TempPathFactory) -> Finance:
    """Three organizations: one is seen in part, one by a source that stopped, one by a source that began late."""
    world = Finance(tmp_path_factory.mktemp("partly"))
    world.reference(prices="User,all,,,30.00,USD")
    old: Row = {"assigned_at": datetime(2026, 1, 1, tzinfo=UTC)}
    people = {name: old | {"name": name} for name in ("quiet", "stale")}
    write_coverage(world.tree, "part", LAST, date(2026, 9, 1), endpoint="claude_code", sees="some")
    write_coverage(world.tree, "stopped", LAST, date(2026, 8, 1), until=date(2026, 9, 20))
    write_coverage(world.tree, "began", LAST, date(2026, 10, 10))
    for organization in ("part", "stopped", "began"):
        write_usage(world.tree, organization, LAST, [{"holder_id": "stale", "usage_date": date(2026, 9, 15)}])
    world.publish(*(observed(LAST, people, organization) for organization in ("part", "stopped", "began")))
    return world


def test_only_what_is_proven_is_called_unused(partly: Finance):
    """Not where the sources see but a part of it, nor where they do not watch, nor where they have for too short."""
    assert partly.ask(
        """select organization_id, name, last_used_state, days_since_last_use, days_unused_proven, certainty, is_unused
        from finance_unused order by all"""
    ) == [
        ("began", "quiet", "never_seen", None, 22, "at least", False),
        ("began", "stale", "used", 46, 22, "at least", False),
        ("part", "quiet", "not_seen", None, None, "unknown", False),
        ("part", "stale", "used", 46, None, "at most", False),
        ("stopped", "quiet", "not_seen", None, None, "unknown", False),
        ("stopped", "stale", "used", 46, None, "at most", False),
    ]
    assert partly.row(
        "select sum(unused_month_end)::int, sum(unused_unknown)::int, sum(cost_unused) from finance_monthly"
    ) == (0, 6, Decimal("0.00"))


@pytest.mark.parametrize("name", ["world", "partly"])
def test_finance_says_of_a_holder_what_the_days_and_the_lists_of_licenses_say(
    name: str, request: pytest.FixtureRequest
):
    """Views repeat the tables' rules in their own words (`assets/snapshots/rules.py`)."""
    columns = "days_since_last_use, days_unused_proven, last_used_state, certainty"
    held: Finance = request.getfixturevalue(name)
    finance = held.ask(f"select organization_id, name, {columns} from finance_unused order by all")
    assert finance
    assert finance == held.ask(
        f"""select organization_id, name, {columns} from unused_licenses
        semi join finance_unused using (organization_id, holder_id, as_of) order by all"""
    )
    states = "select organization_id, holder_id, last_used_state from {} order by all"
    assert held.ask(states.format("license_assignments")) == held.ask(
        states.format(f"license_snapshots where snapshot_date = date '{LAST}'")
    )


def test_the_report_does_not_call_unused_what_is_not_proven(partly: Finance):
    text = Path(partly("report", "--month", f"{OCTOBER:%Y-%m}").out.strip()).read_text()
    assert "0 seats proven unused for 30 days; 6 more without known use, not proven" in text
    assert re.findall(r'data-column="last_used_state" class="t">(\w+)<', text).count("not_seen") == 2
    assert re.findall(r'data-column="is_unused" class="t">(\w+)<', text) == ["no"] * 6


def test_two_organizations_stand_in_one_report_each_in_its_own_currency(world: Finance):
    finished = world("report", "--month", f"{OCTOBER:%Y-%m}")
    text = Path(finished.out.strip()).read_text()
    for said in ("150.00 <i>USD</i>", "100.00 <i>EUR</i>", "billed by average", "billed by peak", "Not final"):
        assert said in text
    assert text.count('<svg role="img"') == 5
