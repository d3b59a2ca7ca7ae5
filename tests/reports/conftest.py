"""A month with everything in it: gaps, a correction, an adjustment, names that look like formulas."""

from datetime import date
from pathlib import Path

import pytest

from tests.reports.worlds import ADMIN, OCTOBER, Finance, days, observed
from tests.warehouse.snapshots import Row, write_coverage, write_usage

GAP = date(2026, 11, 5)
FORMULAS = ('=HYPERLINK("http://evil.example")', "+1+1", "-2+3", "@SUM(A1)", "<script>alert(1)</script>")


def members(day: date, extra: int = 0) -> dict[str, Row]:
    """Twenty people, some with names that a spreadsheet or browser could mistake; one more every third day."""
    found: dict[str, Row] = {}
    for number in range(20 + extra + day.day // 3):
        name = FORMULAS[number] if number < len(FORMULAS) else f"Person {number}"
        found[f"user_{number:02}"] = {
            "name": name,
            "email": f"p{number}@d{number % 4}.org",
            **(ADMIN if number % 7 == day.month % 7 else {}),
        }
    return found


@pytest.fixture(scope="session")
def month(tmp_path_factory: pytest.TempPathFactory) -> Finance:
    """October closed and corrected since; November over, with a gap, not closed."""
    world = Finance(tmp_path_factory.mktemp("month"))
    world.now = world.now.replace(month=12)
    world.reference(
        prices="User,all,,,29.99,USD\nAdmin,all,,,50.00,USD",
        cost_centres="domain,d0.org,=cmd,,\ndomain,d1.org,Research & Development,,\ndomain,d2.org,Sales,,",
        billing="all,seat-days,",
    )
    last = date(2026, 11, 30)
    first = Path(world.root)
    write_coverage(world.tree, "org", last, date(2026, 9, 1))
    uses = [{"holder_id": f"user_{number:02}", "usage_date": date(2026, 11, 20)} for number in range(0, 40, 2)]
    write_usage(world.tree, "org", last, uses)
    world.publish(*(observed(day, members(day)) for day in days(OCTOBER, last, without=[GAP])))
    assert world("close", "2026-10").status == 0
    world.publish(observed(date(2026, 10, 30), members(date(2026, 10, 30), extra=3)))
    assert first.exists()
    return world
