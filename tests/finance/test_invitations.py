"""Invitations among the seats: told apart, one joiner whoever accepts, and a leaver only where an invite has ended."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import openpyxl
import pytest

from assets.warehouse.checks import checks
from pipelines.subjects import SUBJECTS
from tests.finance.worlds import NOVEMBER, Finance
from tests.history.snapshots import Row, Snapshot

FIRST = date(2026, 10, 29)
"""The days are 29, 30 and 31 October, 1 and 2 November; everybody but the guest is there from the first on."""

INVITED = datetime(2026, 10, 30, 9, tzinfo=UTC)
HOST: Row = {"name": "Host", "email": "host@x.org", "assigned_at": datetime(2026, 1, 1, tzinfo=UTC)}
INVITE: Row = {"email": "guest@x.org", "status": "Pending", "assigned_at": INVITED}


def _guest(**fields: object) -> Row:
    joined = datetime(2026, 10, 31, 8, tzinfo=UTC)
    return {"name": "Guest", "email": "Guest@x.org", "assigned_at": joined, **fields}


GUEST = _guest()
ELSEWHERE = _guest(email="guest@private.net", invite_id="invite_1")
SLEEPING = _guest(status="Disabled")
OTHER_TYPE = _guest(license_type="Admin", role="admin")
UNKNOWN = None
"""The list of invites could not be read."""

Day = tuple[Row | None, list[str] | None]
Move = tuple[int, str, str]

BEFORE: Day = (None, [])
OPEN: Day = (None, ["invite_1"])

STORIES: dict[str, tuple[list[Day], list[Move], list[tuple[int, int]]]] = {
    "accepted": (
        [BEFORE, OPEN, (GUEST, []), (GUEST, []), (GUEST, [])],
        [(1, "joiner", "invite")],
        [(1, 0), (2, 1), (2, 0), (2, 0), (2, 0)],
    ),
    "accepted-next-month": (
        [BEFORE, OPEN, OPEN, (_guest(assigned_at=datetime(2026, 11, 1, 8, tzinfo=UTC)), []), (GUEST, [])],
        [(1, "joiner", "invite")],
        [(1, 0), (2, 1), (2, 1), (2, 0), (2, 0)],
    ),
    "still-listed": (
        [BEFORE, OPEN, (GUEST, ["invite_1"]), (GUEST, ["invite_1"]), (GUEST, [])],
        [(1, "joiner", "invite")],
        [(1, 0), (2, 1), (2, 0), (2, 0), (2, 0)],
    ),
    "invites-not-read-that-night": (
        [BEFORE, OPEN, (GUEST, UNKNOWN), (GUEST, ["invite_1"]), (GUEST, [])],
        [(1, "joiner", "invite")],
        [(1, 0), (2, 1), (2, 0), (2, 0), (2, 0)],
    ),
    "one-night-in-neither-list": (
        [BEFORE, OPEN, BEFORE, (GUEST, []), (GUEST, [])],
        [(1, "joiner", "invite"), (2, "changed_out", "invite"), (3, "changed_in", "user")],
        [(1, 0), (2, 1), (1, 0), (2, 0), (2, 0)],
    ),
    "another-address": (
        [BEFORE, OPEN, (ELSEWHERE, ["invite_1"]), (ELSEWHERE, []), (ELSEWHERE, [])],
        [(1, "joiner", "invite")],
        [(1, 0), (2, 1), (2, 0), (2, 0), (2, 0)],
    ),
    "another-license": (
        [BEFORE, OPEN, (OTHER_TYPE, []), (OTHER_TYPE, []), (OTHER_TYPE, [])],
        [(1, "joiner", "invite"), (2, "changed_in", "user"), (2, "changed_out", "invite")],
        [(1, 0), (2, 1), (2, 0), (2, 0), (2, 0)],
    ),
    "disabled-at-first": (
        [BEFORE, OPEN, (SLEEPING, []), (GUEST, []), (GUEST, [])],
        [(1, "joiner", "invite"), (2, "changed_out", "invite"), (3, "changed_in", "user")],
        [(1, 0), (2, 1), (1, 0), (2, 0), (2, 0)],
    ),
    "lapsed": (
        [BEFORE, OPEN, OPEN, BEFORE, BEFORE],
        [(1, "joiner", "invite"), (3, "leaver", "invite")],
        [(1, 0), (2, 1), (2, 1), (1, 0), (1, 0)],
    ),
    "left-while-still-listed": (
        [BEFORE, OPEN, (GUEST, ["invite_1"]), (None, ["invite_1"]), BEFORE],
        # who has accepted it holds it no more, whatever the list says
        [(1, "joiner", "invite"), (3, "leaver", "user")],
        [(1, 0), (2, 1), (2, 0), (1, 0), (1, 0)],
    ),
    "came-back-by-another-invite": (
        [BEFORE, OPEN, (GUEST, []), (None, ["invite_2"]), (_guest(assigned_at=datetime(2026, 11, 2, tzinfo=UTC)), [])],
        [(1, "joiner", "invite")],
        [(1, 0), (2, 1), (2, 0), (2, 1), (2, 0)],
    ),
    "member-already": (
        [(GUEST, []), (GUEST, ["invite_1"]), (GUEST, ["invite_1"]), (GUEST, []), (GUEST, [])],
        [],
        [(2, 0), (2, 0), (2, 0), (2, 0), (2, 0)],
    ),
    "free-and-accepted": (
        [BEFORE, OPEN, (GUEST, []), (GUEST, []), (GUEST, [])],
        [(2, "joiner", "user")],
        [(1, 0), (1, 0), (2, 0), (2, 0), (2, 0)],
    ),
    "free-and-accepted-and-listed": (
        [BEFORE, OPEN, (GUEST, ["invite_1"]), (GUEST, UNKNOWN), (GUEST, [])],
        [(2, "joiner", "user")],
        [(1, 0), (1, 0), (2, 0), (2, 0), (2, 0)],
    ),
    "free-and-lapsed": ([BEFORE, OPEN, OPEN, BEFORE, BEFORE], [], [(1, 0), (1, 0), (1, 0), (1, 0), (1, 0)]),
}


def _snapshot(organization: str, offset: int, day: Day) -> Snapshot:
    guest, invites = day
    members = {"user_host": HOST} | ({"user_guest": guest} if guest else {})
    rosters: dict[str, dict[str, Row]] = {"user": members, "api_key": {}}
    if invites is not None:
        sent = {"invite_1": INVITED, "invite_2": datetime(2026, 11, 1, 7, tzinfo=UTC)}
        rosters["invite"] = {name: INVITE | {"assigned_at": sent[name]} for name in invites}
    return Snapshot(organization, FIRST + timedelta(days=offset), rosters)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Finance:
    """Each story is an organization of its own, all of one warehouse: so the checks have held for each."""
    world = Finance(tmp_path_factory.mktemp("invitations"))
    world.reference(
        prices="User,all,,,30.00,USD\nAdmin,all,,,50.00,USD",
        billing="organization,convention,currency,invites_take_seats\nall,,,\n"
        + "\n".join(f"{story},month-end,,false" for story in STORIES if story.startswith("free")),
    )
    world.publish(
        *(_snapshot(story, offset, day) for story, (told, _, _) in STORIES.items() for offset, day in enumerate(told))
    )
    return world


@pytest.mark.parametrize("story", STORIES)
def test_who_is_invited_and_becomes_a_member_joins_once(world: Finance, story: str):
    _, moves, seats = STORIES[story]
    assert moves == world.ask(
        """select (event_date - ?)::int, movement, holder_type from finance_movements
        where organization_id = ? and not is_beginning order by all""",
        FIRST,
        story,
    )
    assert seats == world.ask(
        """select sum(seats)::int, sum(invites)::int from finance_daily
        where organization_id = ? group by snapshot_date order by snapshot_date""",
        story,
    )


def test_the_month_tells_invitations_apart_and_what_became_of_them(world: Finance):
    figures = world.ask(
        """select organization_id, month(month), sum(joiners)::int, sum(invite_joiners)::int, sum(leavers)::int,
        sum(invite_leavers)::int, sum(invites_accepted)::int, sum(invites_before)::int, sum(invites_month_end)::int
        from finance_statement group by all"""
    )
    told = {(story, month): tuple(rest) for story, month, *rest in figures}
    assert told["accepted", 10] == (2, 1, 0, 0, 1, 0, 0)
    assert told["accepted-next-month", 10] == (2, 1, 0, 0, 0, 0, 1)
    assert told["accepted-next-month", 11] == (0, 0, 0, 0, 1, 1, 0)
    assert told["another-license", 10] == (2, 1, 0, 0, 1, 0, 0)
    assert told["lapsed", 10] == (2, 1, 0, 0, 0, 0, 1)
    assert told["lapsed", 11] == (0, 0, 1, 1, 0, 1, 0)
    assert told["left-while-still-listed", 11] == (0, 0, 1, 0, 0, 0, 0)
    assert told["free-and-accepted", 10] == (2, 0, 0, 0, 0, 0, 0)


@pytest.mark.slow
def test_page_and_workbook_walk_people_and_invitations_apart_and_add_up(world: Finance, tmp_path: Path):
    place = tmp_path / "november.xlsx"
    assert world("report", "--month", "2026-11", "--format", "xlsx", "--output", str(place)).status == 0
    book = openpyxl.load_workbook(place)
    titles, *rows = book["Walk by kind"].iter_rows(values_only=True)
    kinds = {kind: dict(zip(titles[1:], figures, strict=True)) for kind, *figures in rows}
    assert list(kinds) == ["People", "Invitations"]
    assert kinds["Invitations"] == {
        "Seats before": 2,  # accepted-next-month and lapsed
        "Joiners": 0,
        "Leavers": 1,  # lapsed
        "Accepted": -2,  # accepted-next-month and came-back-by-another-invite
        "Otherwise": 1,  # came-back-by-another-invite: left while another invite to them stood
        "Seats month end": 0,
    }
    assert kinds["People"]["Accepted"] == 2
    total = world.row(
        """select sum(seats_before)::int, sum(joiners)::int, sum(leavers)::int, 0,
        sum(changed_in - changed_out + restated)::int, sum(seats_month_end)::int
        from finance_statement where month = ?""",
        NOVEMBER,
    )
    assert total == tuple(map(sum, zip(*(kind.values() for kind in kinds.values()), strict=True)))
    moved = list(book["Joiners and leavers"].iter_rows(values_only=True))
    assert {row[moved[0].index("Kind")] for row in moved[1:]} == {"person", "invitation"}
    text = Path(world("report", "--month", "2026-10").out.strip()).read_text()
    assert "The walk of people, API keys and invitations" in text
    people, invites = world.row(
        "select sum(seats - invites)::int, sum(invites)::int from finance_daily where snapshot_date = date '2026-10-31'"
    )
    assert f"People {people} · Invitations {invites}" in text


@pytest.mark.slow
def test_keys_are_a_kind_of_their_own_where_they_are_billed(tmp_path: Path):
    world = Finance(tmp_path)
    world.reference(prices="User,all,,,30.00,USD\nAPI Key,all,,,5.00,USD")
    key: Row = {"license_type": "API Key", "role": None, "name": "build"}
    rosters = {"user": {"user_1": HOST}, "api_key": {"apikey_1": key, "apikey_2": key}, "invite": {"invite_1": INVITE}}
    world.publish(Snapshot("org", date(2026, 11, 30), rosters))
    text = Path(world("report", "--month", "2026-11").out.strip()).read_text()
    assert "People 1 · API keys 2 · Invitations 1" in text
    assert "People +1 −0 · API keys +2 −0 · Invitations +1 −0" in text
    assert "the 4 seats of that day, 1 of them pending invitations, count as joiners" in text


@pytest.mark.parametrize(
    "tampering",
    [
        "update finance_monthly set invites_month_end = invites_month_end - 1 where invites_month_end > 0",
        "update finance_monthly set invite_leavers = leavers + 1 where leavers > 0",
        "update finance_monthly set invites_accepted = 0",
        "update finance_daily set invites = invites + 1",
        "delete from finance_monthly where organization_id = 'lapsed' and month = date '2026-11-01'",
    ],
)
def test_checks_find_invitations_that_do_not_add_up_and_months_that_are_missing(
    world: Finance, tmp_path: Path, tampering: str
):
    names = ("finance_tells_invites_apart", "finance_counts_every_seat", "finance_has_no_month_missing")
    copy = shutil.copy(world.tree.warehouse, tmp_path / "copy.duckdb")
    copy.chmod(0o600)
    with duckdb.connect(str(copy)) as warehouse:
        assert [warehouse.execute(checks(SUBJECTS)[name]).fetchall() for name in names] == [[], [], []]
        warehouse.execute(tampering)
        assert [row for name in names for row in warehouse.execute(checks(SUBJECTS)[name]).fetchall()]
