"""A month with everything in it: gaps, a correction, an adjustment, names that look like formulas."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from tests.finance.worlds import ADMIN, OCTOBER, Finance, days
from tests.history.snapshots import Row, Snapshot, write_coverage, write_usage

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
            "assigned_at": _morning(day.replace(day=3 * (number - 19))) if 20 <= number < 30 else None,
        }
    return found


def invites(day: date) -> dict[str, Row]:
    """To those who come on the 12th and 24th, six days before; and on every tenth day to somebody who never comes."""
    sent = {day.replace(day=on): f"p{number}@d{number % 4}.org" for on, number in ((6, 23), (18, 27))}
    sent |= {day.replace(day=on): f"stranger{on}@d1.org" for on in (10, 20, 30)}
    return {
        f"invite_{on}": {"email": address, "status": "Pending", "assigned_at": _morning(on)}
        for on, address in sent.items()
        if 0 <= (day - on).days < 6
    }


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(8), UTC)


def everybody(day: date, extra: int = 0) -> Snapshot:
    return Snapshot("org", day, {"user": members(day, extra), "api_key": {}, "invite": invites(day)})


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
    world.publish(*(everybody(day) for day in days(OCTOBER, last, without=[GAP])))
    assert world("close", "2026-10").status == 0
    world.publish(everybody(date(2026, 10, 30), extra=3))
    assert first.exists()
    return world
