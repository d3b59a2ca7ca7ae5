"""Each check has a world in which it fails: a good warehouse, broken by hand in the very way that the check guards."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from assets.warehouse.checks import EXAMPLES, Finding, assumption, checks
from assets.warehouse.publish import look
from pipelines.subjects import SUBJECTS
from tests.finance.worlds import Finance
from tests.history.snapshots import Row, Snapshot

pytestmark = pytest.mark.slow

JAN_30, JAN_31, FEB_2, MAR_2 = date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 2), date(2026, 3, 2)
ADA: Row = {"name": "Ada", "email": "ada@x.org"}
RENAMED: Row = ADA | {"name": "Ada L."}
BOB: Row = {"name": "Bob", "email": "bob@x.org", "status": "Disabled"}
KEY: Row = {
    "license_type": "API Key",
    "role": None,
    "name": "build",
    "owner_user_id": "ada",
    "owner_email": "ada@x.org",
    "owner_type": "user",
    "owner_status": "member",
    "workspace_id": "w1",
    "workspace_name": "Build",
}
KEYS = {"key": KEY, "off": KEY | {"status": "Disabled"}}
GUEST: Row = {"status": "Pending", "email": "guest@x.org", "assigned_at": datetime(2026, 1, 29, tzinfo=UTC)}


def _day(day: date, users: dict[str, Row], invites: dict[str, Row], organization: str = "org") -> Snapshot:
    keys = KEYS if organization == "org" else {}
    return Snapshot(organization, day, {"user": users, "api_key": keys, "invite": invites}, workspaces=True)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada is renamed and Bob comes over a gap, a guest is invited; of `quiet` only one day is known."""
    world = Finance(tmp_path_factory.mktemp("good"))
    world.reference(prices="User,all,,,30.00,USD\nAPI Key,all,,,5.00,USD")
    world.publish(
        _day(JAN_30, {"ada": ADA}, {}),
        _day(JAN_31, {"ada": ADA, "bob": BOB}, {"guest": GUEST}),
        _day(FEB_2, {"ada": RENAMED, "bob": BOB}, {"guest": GUEST}),
        _day(MAR_2, {"ada": RENAMED, "bob": BOB}, {"guest": GUEST}),
        _day(JAN_31, {"eve": {}}, {}, "quiet"),
    )
    assert look(SUBJECTS, world.tree) == ()
    return world.root


class Break(NamedTuple):
    """A statement that makes the good warehouse a wrong one, and what the one check then finds, in its words."""

    check: str
    statement: str
    examples: tuple[str, ...]
    faults: int = 1
    besides: tuple[str, ...] = ()
    """The checks that cannot but find it, too."""


TOLD = "history_gives_the_snapshots_back"
INVITES = "finance_tells_invites_apart"
LINE = "month = date '2026-02-01' and organization_id = 'org' and license_type = 'User'"


def _invites(change: str, said: str) -> Break:
    line = f"org, Unassigned User in 2026-02: {said}"
    return Break(INVITES, f"update finance_monthly set {change} where {LINE}", (line,))


def _told(holder: str, change: str, said: str) -> Break:
    """Of a member's or a key's first stretch."""
    kind, days = ("user", [JAN_30, JAN_31]) if holder == "ada" else ("api_key", [JAN_30, JAN_31, FEB_2, MAR_2])
    statement = (
        f"update internal.license_stretches set {change} where holder_id = '{holder}' and valid_from = '{JAN_30}'"
    )
    told = tuple(f"org, {kind} {holder} on {day}: {said}" for day in days)
    return Break(TOLD, statement, told[:EXAMPLES], len(days))


BREAKS = [
    Break(
        "events_explain_the_seats",
        "delete from license_events where holder_id = 'bob'",
        ("org, user User on 2026-01-31: the seats change by 1, the events explain 0",),
    ),
    Break(
        "events_explain_the_seats",
        "update license_events set event_date = date '2026-02-01' where holder_id = 'guest'",
        (
            "org, invite User on 2026-01-31: the seats change by 1, the events explain 0",
            "org, invite User on 2026-02-01: the seats change by 0, the events explain 1",
        ),
        2,
    ),
    Break(
        "events_explain_the_seats",
        "insert into license_events select * replace ('User' as before, null as after, 'left' as event)"
        " from license_events where holder_id = 'eve'",
        ("quiet, user User on 2026-01-31: the seats change by 1, the events explain 0",),
    ),
    Break(
        "every_day_counts_what_its_snapshot_counted",
        "update snapshot_log set users = 3, api_keys = null, invites = 0 where snapshot_date = date '2026-02-02'",
        (
            "org, api_key on 2026-02-02: unknown counted in the snapshot, 2 seats in the counts",
            "org, invite on 2026-02-02: 0 counted in the snapshot, 1 seats in the counts",
            "org, user on 2026-02-02: 3 counted in the snapshot, 2 seats in the counts",
        ),
        3,
    ),
    Break(
        "every_day_counts_what_its_snapshot_counted",
        "update snapshot_log set invites = 1 where organization_id = 'quiet'",
        ("quiet, invite on 2026-01-31: 1 counted in the snapshot, no seats in the counts",),
    ),
    Break(
        "gaps_are_counted",
        "delete from snapshot_gaps where gap_date = date '2026-02-01'",
        ("org: 31 snapshots and gaps, 31 of them distinct, for the 32 days from 2026-01-30 to 2026-03-02",),
    ),
    Break(
        "gaps_are_counted",
        "update snapshot_gaps set gap_date = date '2026-01-31' where gap_date = date '2026-02-01'",
        ("org: 32 snapshots and gaps, 31 of them distinct, for the 32 days from 2026-01-30 to 2026-03-02",),
    ),
    Break(
        TOLD,
        "update internal.license_stretches set valid_from = date '2026-01-31' where name = 'Ada'",
        ("org, user ada on 2026-01-30: only in the snapshot file",),
    ),
    _told("off", "name = 'Eve'", "not the same in both"),
    _told("ada", "status_raw = 'on'", "not the same in both"),
    _told("key", "owner_email = 'eve@x.org'", "of another owner"),
    _told("key", "owner_status = 'left'", "of another owner"),
    _told("key", "workspace_id = 'w2'", "in another workspace"),
    _told("key", "workspace_name = 'Test'", "in another workspace"),
    _told("key", "license_type = 'User'", "of another license type"),
    Break(
        TOLD,
        "insert into internal.license_stretches select * replace ('eve' as holder_id) from internal.license_stretches"
        " where holder_id = 'ada' and valid_to is null",
        (
            "org, user eve on 2026-02-02: only in the history",
            "org, user eve on 2026-03-02: only in the history",
        ),
        2,
    ),
    Break(
        "intervals_do_not_overlap",  # on a gap, so that no snapshot knows
        "update internal.license_stretches set valid_from = date '2026-02-01' where name = 'Ada L.'",
        ("org, user ada: a stretch from 2026-01-30 to 2026-02-02, the next from 2026-02-01",),
    ),
    Break(
        "intervals_do_not_overlap",
        "insert into internal.license_stretches select * replace ('nobody' as holder_id, date '2026-02-01' as valid_to,"
        " date '2026-02-01' as valid_from) from internal.license_stretches where holder_id = 'eve'",
        ("quiet, user nobody: a stretch from 2026-02-01 to 2026-02-01",),
    ),
    Break(
        "intervals_do_not_overlap",
        "insert into internal.license_stretches from internal.license_stretches where holder_id = 'eve'",
        ("quiet, user eve: a stretch from 2026-01-31 to now, the next from 2026-01-31",),
        besides=(TOLD,),
    ),
    Break(
        TOLD,
        "insert into internal.license_stretches from internal.license_stretches where holder_id = 'eve'",
        ("quiet, user eve on 2026-01-31: 2 times in the history",),
        besides=("intervals_do_not_overlap",),
    ),
    Break(
        "months_tie_out",
        "update seat_counts_monthly set joiners = 2, leavers = 0, changed_in = 1, changed_out = 1"
        " where month = date '2026-01-01' and status = 'Pending'",
        ("org, invite User Pending in 2026-01: from 0 seats to 1, but 2 joined, 0 left, 1 changed in, 1 changed out",),
    ),
    Break(
        "months_tie_out",
        "update seat_counts_monthly set leavers = 1, changed_in = 1, changed_out = 1"
        " where month = date '2026-02-01' and status = 'Pending'",
        ("org, invite User Pending in 2026-02: from 1 seats to 1, but 0 joined, 1 left, 1 changed in, 1 changed out",),
    ),
    Break(
        "seats_are_never_negative",
        "update seat_counts_daily set seats = -1"
        " where status = 'Disabled' and holder_type = 'user' and snapshot_date = date '2026-02-01'",
        ("org, user User Disabled on 2026-02-01: -1 seats",),
    ),
    Break(
        "finance_counts_every_seat",
        "update finance_daily set seats = 3 where license_type = 'User' and snapshot_date = date '2026-01-31' and"
        " organization_id = 'org'",
        ("org on 2026-01-31: 4 seats in the lines of finance (1 invites), 3 in the counts (1 invites)",),
    ),
    Break(
        "finance_counts_every_seat",
        "update finance_daily set invites = 0 where snapshot_date = date '2026-02-02'",
        ("org on 2026-02-02: 3 seats in the lines of finance (0 invites), 3 in the counts (1 invites)",),
    ),
    Break(
        "finance_counts_every_seat",
        "delete from finance_daily where license_type = 'API Key' and snapshot_date = date '2026-03-02'",
        ("org on 2026-03-02: 2 seats in the lines of finance (1 invites), 3 in the counts (1 invites)",),
    ),
    Break(
        "finance_counts_every_seat",  # carried forward
        "delete from finance_daily where organization_id = 'quiet' and snapshot_date = date '2026-02-10'",
        ("quiet on 2026-02-10: 0 seats in the lines of finance (0 invites), 1 in the counts (0 invites)",),
    ),
    Break(
        "finance_has_no_month_missing",
        "delete from finance_monthly where organization_id = 'quiet' and month > date '2026-01-01'",
        ("quiet has no line in 2026-02", "quiet has no line in 2026-03"),
        2,
    ),
    Break(
        "finance_prices_are_one",
        "insert into internal.prices_by_day from internal.prices_by_day"
        " where organization_id = 'quiet' and license_type = 'User' and day = date '2026-02-01'",
        ("quiet, User on 2026-02-01: 2 prices",),
    ),
    Break(
        "finance_prices_are_one",
        "update internal.prices_by_day set price = null"
        " where organization_id = 'org' and license_type = 'API Key' and day = date '2026-01-31'",
        ("org, API Key on 2026-01-31: 1 prices",),
    ),
    Break(
        INVITES,
        f"update finance_monthly set invites_month_end = 3, invite_joiners = 2, joiners = 2 where {LINE};"
        " update finance_monthly set invite_leavers = 2, leavers = 2"
        " where month = date '2026-03-01' and organization_id = 'org' and license_type = 'User'",
        (
            "org, Unassigned User in 2026-02: from 1 invites to 3 of 2 seats, but 2 of 2 joiners, 0 of 0 leavers, "
            "0 accepted, 0 else",
        ),
    ),
    _invites(
        "invite_joiners = 1, invites_accepted = 1",
        "from 1 invites to 1 of 2 seats, but 1 of 0 joiners, 0 of 0 leavers, 1 accepted, 0 else",
    ),
    _invites(
        "invite_leavers = 1, invite_joiners = 1, joiners = 1",
        "from 1 invites to 1 of 2 seats, but 1 of 1 joiners, 1 of 0 leavers, 0 accepted, 0 else",
    ),
    _invites(
        "invites_accepted = 1",
        "from 1 invites to 1 of 2 seats, but 0 of 0 joiners, 0 of 0 leavers, 1 accepted, 0 else",
    ),
    Break(
        "finance_walk_closes",
        f"update finance_statement set joiners = 5, leavers = 3, changed_in = 4, changed_out = 2, restated = -3"
        f" where {LINE}",
        (
            "org, Unassigned User in 2026-02: from 2 seats to 2, but 5 joined, 3 left, 4 changed in, 2 changed out, "
            "-3 restated",
        ),
    ),
]


def _name(one: Break) -> str:
    return f"{one.check}-{BREAKS.index(one)}"


@pytest.mark.parametrize("one", BREAKS, ids=_name)
def test_a_check_finds_what_it_guards_against_and_no_other_check_does(good: Path, tmp_path: Path, one: Break) -> None:
    world = Finance(shutil.copytree(good, tmp_path / "broken"))
    with duckdb.connect(str(world.tree.warehouse)) as connection:
        for statement in one.statement.split(";"):
            assert connection.execute(statement).fetchall() != [(0,)], "nothing was broken"
    found = {finding.check: finding for finding in look(SUBJECTS, world.tree)}
    assert found.pop(one.check) == Finding(one.check, one.faults, one.examples)
    assert tuple(found) == one.besides


def test_every_check_has_been_seen_to_fail_and_says_what_it_guards() -> None:
    assert {one.check for one in BREAKS} == set(checks(SUBJECTS))
    for query in checks(SUBJECTS).values():
        assert assumption(query).endswith(".")


def test_of_many_faults_three_are_told_and_the_rest_counted(good: Path, tmp_path: Path) -> None:
    world = Finance(shutil.copytree(good, tmp_path / "broken"))
    with duckdb.connect(str(world.tree.warehouse)) as connection:
        connection.execute("delete from finance_daily where organization_id = 'quiet' and not is_observed")
    (finding,) = look(SUBJECTS, world.tree)
    assert (finding.count, len(finding.examples)) == (30, 3)
    assert str(finding).startswith("finance counts every seat: quiet on 2026-02-01: 0 seats in the lines")
    assert str(finding).endswith(", and 27 more")
