"""Rules that could once be broken without a test noticing: each is held here by a test that was seen to fail."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from assets.engine import engine
from assets.extraction.answers import Answer
from assets.extraction.api import ANALYTICS_USAGE, USERS, Endpoint
from assets.extraction.paging import Contradiction, walk
from assets.history import inputs
from assets.layout import RESTATEMENTS, SUPERSEDED, DayFile, day_files
from assets.snapshots.restatement import read_restatement
from assets.warehouse import seal
from tests.finance.worlds import Finance, days, observed
from tests.history.snapshots import Row, Snapshot, World, write, write_coverage
from tests.scripted import Nights, ScriptedApi
from tests.scripted import user as member
from tests.snapshots.past.test_scripted_feed import role_change, rolled_back

pytestmark = pytest.mark.slow

DAY = date(2026, 3, 1)
ONE = Snapshot("org", DAY, {"user": {"ada": {}}})


def _loaded(world: World, users: int, minute: int) -> None:
    """A version of the day with so many members is believed from that minute on."""
    members: dict[str, Row] = {f"user_{number}": {} for number in range(users)}
    world.load(replace(ONE, rosters={"user": members}), datetime(2026, 3, 2, 2, minute, tzinfo=UTC))


def _versions(world: World) -> tuple[list[DayFile], list[DayFile]]:
    return day_files(RESTATEMENTS, world.tree), day_files(SUPERSEDED, world.tree)


def test_what_was_superseded_and_its_restatement_bear_one_number_in_the_order_of_belief(world: World):
    for minute, users in enumerate((1, 2, 3)):
        _loaded(world, users, minute)
    restated, superseded = _versions(world)
    assert [file.number for file in restated] == [file.number for file in superseded] == [1, 2]
    for file, kept, users in zip(restated, superseded, (1, 2), strict=True):
        told = read_restatement(file.path)
        assert (told.seats_before, told.seats_after) == (users, users + 1)
        assert told.replaced is not None
        assert told.replaced.users == users
        assert pq.read_metadata(kept.path).num_rows == users


@pytest.mark.parametrize("lost", [RESTATEMENTS, SUPERSEDED])
def test_no_number_is_given_twice_though_one_of_the_two_files_was_lost(world: World, lost: str):
    for minute, users in enumerate((1, 2, 3)):
        _loaded(world, users, minute)
    day_files(lost, world.tree)[-1].path.unlink()
    _loaded(world, 4, 3)
    restated, superseded = _versions(world)
    assert {file.number for file in restated} | {file.number for file in superseded} == {1, 2, 3}
    assert restated[-1].number == superseded[-1].number == 3


@pytest.mark.parametrize(("late", "watched"), [(0, True), (3, True), (4, True), (5, False)])
def test_in_the_warehouse_too_a_source_that_is_four_days_late_has_watched(world: World, late: int, watched: bool):
    reached = DAY - timedelta(days=late)
    write_coverage(world.tree.staging("run 1"), "org", DAY, date(2026, 1, 1), until=reached)
    world.publish(ONE)
    told = (date(2026, 1, 1), reached, "never_seen") if watched else (None, None, "not_seen")
    assert world.ask("select usage_observed_since, usage_observed_until, last_used_state from license_snapshots") == [
        told
    ]


def test_the_cost_of_unused_seats_is_rounded_half_up_to_cents(tmp_path: Path):
    world = Finance(tmp_path)
    world.reference(prices="User,all,,,10.005,USD\nAdmin,all,,,10.0049,USD")
    old: Row = {"assigned_at": datetime(2025, 1, 1, tzinfo=UTC)}
    write_coverage(world.tree.staging("run 1"), "org", DAY, date(2026, 1, 1))
    world.publish(observed(DAY, {"ada": old, "bob": old | {"license_type": "Admin", "role": "admin"}}))
    assert world.ask("select license_type, unused_month_end, cost_unused from finance_monthly order by all") == [
        ("Admin", 1, Decimal("10.00")),
        ("User", 1, Decimal("10.01")),
    ]


def test_of_equal_peaks_the_first_is_the_day_of_the_peak(tmp_path: Path):
    world = Finance(tmp_path)
    world.reference(prices="User,all,,,30.00,USD")
    few: dict[str, Row] = {"ada": {}}
    many = few | {"bob": {}}
    rosters = zip(days(DAY, date(2026, 3, 5)), (few, many, few, many, few), strict=True)
    world.publish(*(observed(day, members) for day, members in rosters))
    for relation in ("finance_monthly", "seat_counts_monthly"):
        assert world.ask(f"select seats_peak, peak_date from {relation}") == [(2, date(2026, 3, 2))]


@pytest.mark.parametrize(
    ("at", "role"),
    [
        ("2026-05-29T23:59:59.999999Z", "user"),
        ("2026-05-30T00:00:00Z", "admin"),
        ("2026-05-30T00:00:00.000001Z", "admin"),
    ],
)
def test_a_change_exactly_at_midnight_belongs_to_the_day_that_begins(nights: Callable[..., Nights], at: str, role: str):
    changes = [role_change(2, at, 1, "admin", "user"), role_change(1, "2026-05-20T08:00:00Z", 1, "user", "admin")]
    made = nights(ScriptedApi(users=[member(1)], activities=changes))
    made.night()
    before, _ = rolled_back(made, date(2026, 5, 29))
    after, _ = rolled_back(made, date(2026, 5, 30))
    assert (before["user_0001"]["role"], after["user_0001"]["role"]) == (role, "user")


def test_an_organization_of_which_no_members_are_known_is_counted_and_billed_by_what_is(tmp_path: Path):
    world = Finance(tmp_path)
    world.reference(prices="API Key,all,,,5.00,USD\nUser,all,,,30.00,USD")
    key: Row = {"license_type": "API Key", "role": None, "owner_user_id": "ada", "owner_status": "unknown"}
    world.publish(
        *(Snapshot("keys", day, {"api_key": {"key": key}}) for day in (DAY, DAY + timedelta(days=1))),
        observed(DAY, {"ada": {}}, "both"),
        Snapshot("both", DAY + timedelta(days=1), {"api_key": {}}),
    )
    assert world.ask(
        "select holder_id, owner_status, owner_email from license_history where holder_type = 'api_key'"
    ) == [("key", "unknown", None)]
    assert world.ask(
        "select organization_id, license_type, seats_month_end, cost, days_observed from finance_monthly order by all"
    ) == [
        ("both", "User", 1, Decimal("30.00"), 1),  # a day without members is no day of it
        ("keys", "API Key", 1, Decimal("5.00"), 2),
    ]
    assert world.ask("select distinct users from snapshot_log where organization_id = 'keys'") == [(None,)]


def test_no_warehouse_is_started_from_that_other_code_has_made(world: World, monkeypatch: pytest.MonkeyPatch):
    world.publish(ONE)
    following = replace(ONE, day=DAY + timedelta(days=1))
    write(world.tree.staging("next"), following)

    def read() -> list[date]:
        with engine(world.root) as connection:
            return [file.day for file in inputs.gather(connection, world.tree, world.tree.staging("next")).to_read]

    assert read() == [following.day]
    monkeypatch.setattr(seal, "made_by", lambda: "another version")
    assert read() == [ONE.day, following.day]


def test_a_role_that_the_table_lacks_takes_a_seat_in_a_restatement(world: World):
    unmapped: Row = {"role": "quantum", "license_type": "Unmapped (quantum)"}
    of = {"ada": unmapped, "bob": unmapped | {"status": "Disabled"}, "eve": {}}
    world.load(replace(ONE, rosters={"user": of}), datetime(2026, 3, 2, 2, tzinfo=UTC))
    world.load(replace(ONE, rosters={"user": {"ada": unmapped}}), datetime(2026, 3, 2, 3, tzinfo=UTC))
    (file,) = day_files(RESTATEMENTS, world.tree)
    told = read_restatement(file.path)
    assert (told.seats_before, told.seats_after) == (2, 1)


@pytest.mark.parametrize(("endpoint", "field"), [(USERS, "last_id"), (ANALYTICS_USAGE, "next_page")])
@pytest.mark.parametrize("round_of", [1, 2, 3])
def test_a_list_that_goes_round_in_circles_is_left_after_one_round(endpoint: Endpoint, field: str, round_of: int):
    asked = 0

    def fetch(_: dict[str, str]) -> Answer:
        nonlocal asked
        asked += 1
        assert asked <= round_of + 1, "it goes round again"
        cursor = f"page_{(asked - 1) % round_of}"
        return Answer(f'{{"data":[],"has_more":true,"{field}":"{cursor}"}}'.encode(), None)

    with pytest.raises(Contradiction, match="the cursor page_0 came back a second time"):
        list(walk(endpoint, fetch))
    assert asked == round_of + 1
