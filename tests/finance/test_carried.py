"""An organization that was not read in a month keeps its seats: no sum falls because nobody looked, and it says so."""

import json
import re
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from tests.finance.worlds import NOVEMBER, OCTOBER, Finance, days, observed, signed_by_an_older_version
from tests.history.snapshots import Row, Snapshot

pytestmark = pytest.mark.slow

SEPTEMBER = date(2026, 9, 1)
LAST = date(2026, 11, 10)
HELD: Row = {"email": "a@x.org", "assigned_at": datetime(2026, 1, 1, tzinfo=UTC)}
TWO = {"user_1": HELD, "user_2": HELD | {"email": "b@y.org"}}
THREE = TWO | {"user_3": HELD | {"email": "c@x.org"}}
INVITES: dict[str, Row] = {"invite_1": {"email": "d@x.org", "status": "Pending"}}


def _silent(day: date) -> Snapshot:
    """Two members and a pending invitation."""
    return Snapshot("silent", day, {"user": TWO, "api_key": {}, "invite": INVITES})


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`read` is read every night, `paused` not in October, `silent` no more after September."""
    world = Finance(tmp_path_factory.mktemp("carried"))
    world.reference(
        prices="User,all,,,30.00,USD", cost_centres="domain,x.org,X,,\nemail,a@x.org,A,2026-10-17,", billing="all,,"
    )
    span = days(date(2026, 9, 20), LAST)
    world.publish(
        *(observed(day, THREE, "read") for day in span),
        *(observed(day, TWO if day < OCTOBER else THREE, "paused") for day in span if day.month != 10),
        *(_silent(day) for day in span if day < OCTOBER),
    )
    return world.root


@pytest.fixture
def world(published: Path, tmp_path: Path) -> Finance:
    world = Finance(shutil.copytree(published, tmp_path / "world"))
    world.now = datetime(2026, 11, 11, 3, tzinfo=UTC)
    return world


def test_no_sum_over_organizations_falls_because_one_was_not_read(world: Finance):
    assert world.ask(
        "select month, sum(seats_month_end)::int, sum(cost) from finance_monthly group by 1 order by 1"
    ) == [
        (SEPTEMBER, 8, Decimal("240.00")),
        (OCTOBER, 8, Decimal("240.00")),
        (NOVEMBER, 9, Decimal("270.00")),
    ]


def test_a_month_without_a_look_has_the_seats_last_known_and_says_that_nobody_looked(world: Finance):
    assert world.ask(
        """select month, sum(seats_month_end)::int, sum(invites_month_end)::int, sum(joiners + leavers)::int,
        max(days_observed), max(days_in_month), bool_or(is_final), any_value(provenance)
        from finance_monthly where organization_id = 'silent' group by 1 order by 1"""
    ) == [
        (SEPTEMBER, 3, 1, 3, 11, 30, False, "observed 11"),
        (OCTOBER, 3, 1, 0, 0, 31, False, "carried forward"),
        (NOVEMBER, 3, 1, 0, 0, 30, False, "carried forward"),
    ]
    # who pays on a day is whom the rules name on that day, whoever looks
    assert world.ask(
        """select cost_centre, seats_before::int, changed_in::int, changed_out::int, seats_month_end::int
        from finance_statement where organization_id = 'silent' and month = ? order by 1""",
        OCTOBER,
    ) == [("A", 0, 1, 0, 1), ("Unassigned", 1, 0, 0, 1), ("X", 2, 0, 1, 1)]


def test_days_that_are_carried_are_neither_called_known_nor_observed(world: Finance):
    assert world.ask(
        """select distinct state, is_counted from finance_days where organization_id = 'silent' and month = ?""",
        OCTOBER,
    ) == [("no snapshot", False)]
    assert world.ask(
        """select is_observed, min(snapshot_date), max(snapshot_date), count(distinct snapshot_date)
        from finance_daily where organization_id = 'silent' group by 1 order by 1"""
    ) == [(False, OCTOBER, LAST, 41), (True, date(2026, 9, 20), date(2026, 9, 30), 11)]
    assert world.row(
        "select min(snapshot_date) from finance_daily where organization_id = 'paused' and not is_observed"
    ) == (OCTOBER,)
    # within a month that somebody has read nothing is carried
    world.publish(observed(date(2026, 10, 9), TWO, "silent"))
    assert world.row(
        """select count(*) from finance_daily where organization_id = 'silent' and cost_centre = 'X'
        and snapshot_date between date '2026-10-01' and date '2026-10-31'"""
    ) == (1,)


@pytest.mark.parametrize("convention", ["month-end", "peak", "average", "seat-days"])
def test_every_convention_bills_a_month_without_a_look_as_the_seats_last_known(world: Finance, convention: str):
    world.reference(billing=f"all,{convention},", cost_centres="")
    world.publish()
    assert world.row(
        "select sum(billed_seats), sum(cost) from finance_monthly where organization_id = 'silent' and month = ?",
        OCTOBER,
    ) == (Decimal("3.0000"), Decimal("90.00"))


def test_the_report_says_whose_seats_are_carried_and_since_when(world: Finance, tmp_path: Path):
    text = Path(world("report", "--month", "2026-10").out.strip()).read_text()
    assert "Not final" in text
    assert text.count("Nothing was read of it in this month: its seats are those of 2026-09-30, carried forward") == 2
    assert text.count("0 of 31 days known (carried forward)") == 2
    assert len(re.findall(r'<svg role="img" aria-label="Seats by day', text)) == 1
    place = tmp_path / "october.xlsx"
    assert world("report", "--month", "2026-10", "--format", "xlsx", "--output", str(place)).status == 0
    titles, *rows = openpyxl.load_workbook(place)["Overview"].iter_rows(values_only=True)
    overview = {row["Organization"]: row for row in (dict(zip(titles, row, strict=True)) for row in rows)}
    assert overview["silent"]["Carried from"] == datetime(2026, 9, 30)
    assert overview["read"]["Carried from"] is None
    assert [overview[name]["Is final"] for name in ("read", "silent")] == [True, False]


def test_a_month_that_is_carried_is_closed_only_by_accepting_its_days_by_name(world: Finance):
    refused = world("close", "2026-10")
    assert refused.status == 1
    assert "2026-10 is not final: 2026-10-01..2026-10-31 (no snapshot)" in refused.err
    assert world("close", "2026-10", "--acknowledge-gap", "2026-10-01..2026-10-30").status == 1
    assert world("close", "2026-10", "--acknowledge-gap", "2026-10-01..2026-10-31").status == 0
    assert world.row(
        """select sum(seats_month_end)::int, max(days_observed), any_value(provenance) from finance_statement
        where organization_id = 'silent' and month = ?""",
        OCTOBER,
    ) == (3, 0, "carried forward")
    inputs = json.loads((world.root / "finance/log/0001.json").read_text())["inputs"]
    assert "snapshots/license_assignments/snapshot_date=2026-09-30/organization_id=silent/part.parquet" in inputs
    # what comes to light of it later is a correction like any other
    world.publish(*(observed(day, {"user_1": HELD}, "silent") for day in days(OCTOBER, date(2026, 10, 31))))
    assert world.ask(
        "select cost_centre, seats_difference::int, cost_open, open_month from finance_restatements order by 1"
    ) == [
        ("Unassigned", -1, Decimal("-30.00"), NOVEMBER),
        ("X", -1, Decimal("-30.00"), NOVEMBER),
    ]


def test_figures_that_are_carried_over_several_months_are_signed_with_the_day_that_they_are_of(world: Finance):
    world.now = datetime(2026, 12, 1, 3, tzinfo=UTC)
    gaps = "2026-11-01..2026-11-30"
    assert world("close", "2026-11", "--acknowledge-gap", gaps).status == 0
    inputs = json.loads((world.root / "finance/log/0001.json").read_text())["inputs"]
    days_of = {
        name: sorted(path.split("=")[1][:10] for path in inputs if f"organization_id={name}/" in path)
        for name in ("silent", "read")
    }
    assert (days_of["silent"], days_of["read"][0]) == (["2026-09-30"], "2026-10-01")


def test_a_month_that_was_signed_without_the_organization_stays_as_it_was_signed(world: Finance):
    """An older version had no lines for it; that is nothing that has come to light since."""
    assert world("close", "2026-10", "--acknowledge-gap", "2026-10-01..2026-10-31").status == 0
    signed_by_an_older_version(world, 1, keep="organization_id <> 'silent'")
    world.publish()
    assert world.ask("select organization_id from finance_restatements") == []
    assert world.ask("from finance_statement where organization_id = 'silent' and month = ?", OCTOBER) == []
    assert world.ask(
        """select cost_centre, seats_before::int, changed_in::int, changed_out::int, restated::int, seats_month_end::int
        from finance_statement where organization_id = 'silent' and month = ? order by 1""",
        NOVEMBER,
    ) == [("A", 0, 0, 0, 1, 1), ("Unassigned", 1, 0, 0, 0, 1), ("X", 2, 0, 0, -1, 1)]
