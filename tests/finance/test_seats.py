"""Who stands behind a line: holders by name, whose days are the line's seat-days."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.finance.worlds import Finance, days
from tests.history.snapshots import Row, Snapshot

OCTOBER, GAP, NOVEMBER = date(2026, 10, 28), date(2026, 10, 29), date(2026, 11, 1)
ADA: Row = {"name": "Ada", "assigned_at": datetime(2026, 1, 1, tzinfo=UTC)}
BOB: Row = {"name": "Bob", "email": "bob@x.org", "assigned_at": datetime(2026, 1, 1, tzinfo=UTC)}
INVITE: Row = {"email": "guest@x.org", "status": "Pending", "assigned_at": datetime(2026, 10, 30, tzinfo=UTC)}
GUEST: Row = {"name": "Guest", "email": "guest@x.org", "assigned_at": datetime(2026, 11, 1, tzinfo=UTC)}


def roster(day: date) -> Snapshot:
    """Bob goes on 1 November, his name is told on the first day only; the guest is invited, and joins that day."""
    members: dict[str, Row] = {"ada": ADA}
    if day < NOVEMBER:
        members["bob"] = BOB if day == OCTOBER else BOB | {"name": None}
    else:
        members["guest"] = GUEST
    invites = {"invite_1": INVITE} if GAP < day < NOVEMBER else {}
    return Snapshot("org", day, {"user": members, "api_key": {}, "invite": invites})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Finance:
    world = Finance(tmp_path_factory.mktemp("seats"))
    world.reference(prices="User,org,,,30.00,USD", cost_centres="email,bob@x.org,Sales,2026-10-30,")
    world.publish(*(roster(day) for day in days(OCTOBER, date(2026, 11, 2), without=[GAP])))
    return world


def seats(world: Finance, month: date) -> list[tuple[Any, ...]]:
    return world.ask(
        """select cost_centre, holder_type, name, extract(day from first_day), extract(day from last_day), seat_days,
        has_seat_at_month_end from finance_seats where month = $1 order by cost_centre, name""",
        month,
    )


def test_a_month_tells_whose_seats_they_were_and_for_how_many_counted_days(world: Finance) -> None:
    assert seats(world, date(2026, 10, 1)) == [
        ("Sales", "user", "Bob", 30, 31, 2, True),
        ("Unassigned", "user", "Ada", 28, 31, 3, True),
        ("Unassigned", "user", "Bob", 28, 28, 1, False),
        ("Unassigned", "user", "Guest", 30, 31, 2, True),
    ]


def test_who_left_is_not_in_the_next_month_and_who_accepted_goes_on(world: Finance) -> None:
    assert seats(world, NOVEMBER) == [
        ("Unassigned", "user", "Ada", 1, 2, 2, True),
        ("Unassigned", "user", "Guest", 1, 2, 2, True),
    ]


def test_holders_sum_to_their_line(world: Finance) -> None:
    by_holder = """select month, organization_id, cost_centre, license_type, sum(seat_days),
        count(*) filter (where has_seat_at_month_end) from finance_seats group by all order by all"""
    lines = """select month, organization_id, cost_centre, license_type, seat_days, seats_month_end
        from finance_monthly where seat_days > 0 order by all"""
    assert world.ask(by_holder) == world.ask(lines) != []
