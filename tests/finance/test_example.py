"""The worked example of docs/finance.md, with the very files and figures that stand there."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.finance.worlds import ADMIN, NOVEMBER, OCTOBER, Finance, days, observed
from tests.history.snapshots import Row, Snapshot

DOCUMENT = (Path(__file__).parents[2] / "docs" / "finance.md").read_text()
FILES = dict(re.findall(r"```csv (\w+)\n(.*?)```", DOCUMENT, re.S))
GAP = date(2026, 10, 5)


def _members(day: date, cy: str = "cy@elsewhere.net") -> dict[str, Row]:
    ada: Row = {"name": "Ada", "email": "ada@example.com"}
    found: dict[str, Row] = {
        "user_ada": ada | (ADMIN if day >= date(2026, 10, 22) else {}),
        "user_bob": {"name": "Bob", "email": "Bob@Example.com"},
    }
    if day >= date(2026, 10, 21):
        found["user_cy"] = {"name": "Cy", "email": cy}
    if day <= date(2026, 10, 10):
        found["user_dora"] = {"name": "Dora", "email": "dora@example.com"}
    return found


def _october() -> list[Snapshot]:
    return [observed(day, _members(day)) for day in days(OCTOBER, date(2026, 10, 31), without=[GAP])]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Finance:
    world = Finance(tmp_path_factory.mktemp("example"))
    world.reference(**FILES)
    world.publish(*_october())
    return world


def test_the_table_of_the_month_is_what_the_warehouse_says(world: Finance):
    rows = re.findall(r"^\| (\w+) \| (\w+) \| (\d.*) \|$", DOCUMENT, re.M)
    written = [(centre, kind, *(Decimal(cell) for cell in cells.split(" | "))) for centre, kind, cells in rows]
    assert len(written) == 4
    assert written == world.ask(
        """select cost_centre, license_type, seats_before, joiners, leavers, changed_in, changed_out, seats_month_end,
        price, cost from finance_statement order by cost_centre, license_type"""
    )
    assert f"Together {world.row('select sum(cost) from finance_monthly')[0]} USD" in DOCUMENT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("convention", "costs"),
    [
        ("peak", ("60.00", "0.00", "0.00")),
        ("average", ("27.53", "19.87", "11.37")),
        ("seat-days", ("28.58", "19.23", "11.00")),
    ],
)
def test_the_other_conventions_come_to_what_the_example_says(
    world: Finance, tmp_path: Path, convention: str, costs: tuple[str, ...]
):
    other = world.copy(tmp_path / "other")
    (other.root / "reference").unlink()
    other.reference(**FILES | {"billing": f"org,{convention},\n"})
    other.publish()
    query = (
        "select cost, billed_seats, convention from finance_monthly where license_type = 'User' order by cost_centre"
    )
    found = other.ask(query)
    assert [str(cost) for cost, _, _ in found] == list(costs)
    assert {word for _, _, word in found} == {convention}
    assert all(cost in DOCUMENT for cost in costs)
    if convention == "average":
        assert found[0][1] == Decimal("1.2667")


@pytest.mark.slow
def test_what_was_signed_stays_and_november_makes_the_correction_good(world: Finance):
    closed = world("close", "2026-10", "--acknowledge-gap", "2026-10-05")
    assert closed.status == 0, closed.err
    assert "112.00 USD" in closed.out
    corrected = [observed(day, _members(day, "cy@example.com")) for day in days(date(2026, 10, 21), NOVEMBER)]
    world.publish(*corrected)
    assert world.row("select sum(cost) from finance_closed") == (Decimal("112.00"),)
    assert world.ask(
        "select cost_centre, seats_difference, cost_open, open_month from finance_restatements order by cost_centre"
    ) == [("Engineering", 1, Decimal("31.00"), NOVEMBER), ("Unassigned", -1, Decimal("-31.00"), NOVEMBER)]
    assert world.ask(
        "select cost_centre, seats, cost from finance_adjustments where month = ? order by cost_centre", NOVEMBER
    ) == [("Engineering", 1, Decimal("31.00")), ("Unassigned", -1, Decimal("-31.00"))]
    assert world.ask(
        """select cost_centre, seats_before, restated, seats_month_end from finance_statement
        where month = ? and restated <> 0 order by cost_centre""",
        NOVEMBER,
    ) == [("Engineering", 0, 1, 1), ("Unassigned", 1, -1, 0)]
