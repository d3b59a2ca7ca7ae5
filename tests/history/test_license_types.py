"""A mapping is applied, not frozen: today's license_types.csv decides for every day, however the day is known."""

from datetime import date

import pyarrow.parquet as pq
import pytest

from tests.history.snapshots import Row, Snapshot, World

HEADER = "role,license_type,takes_seat,valid_from,valid_to\n"
USER: Row = {"role": "user", "license_type": "User"}


def day(number: int) -> date:
    return date(2026, 3, number)


def days(*numbers: int) -> list[Snapshot]:
    return [Snapshot("org", day(number), {"user": {"ada": USER}}) for number in numbers]


def types(world: World, text: str) -> None:
    own = world.root / "reference" / "license_types.csv"
    own.parent.mkdir(exist_ok=True)
    own.write_text(text)


HISTORY = (
    "select license_type, takes_seat, valid_from, valid_to, days_observed from license_history order by valid_from"
)
EVENTS = "select event_date, event, before, after from license_events where previous_date is not null order by all"


@pytest.mark.slow
def test_a_corrected_mapping_holds_for_every_day_and_makes_no_event(world: World) -> None:
    world.publish(*days(1, 2))
    types(world, "role,license_type,takes_seat\nuser,Member,false\n")
    world.publish(*days(3))
    assert world.ask(HISTORY) == [("Member", False, day(1), None, 3)]
    assert world.ask(EVENTS) == []
    assert world.ask("select distinct license_type, takes_seat from seat_counts_daily") == [("Member", False)]
    assert world.ask("select distinct license_type from license_snapshots") == [("Member",)]
    files = pq.read_table(world.root / "snapshots", columns=["license_type"])
    assert files["license_type"].unique().to_pylist() == ["User"]


@pytest.mark.slow
def test_what_a_role_meant_can_have_begun_on_a_day(world: World) -> None:
    types(world, HEADER + "user,User,true,,2026-03-03\nuser,Member,false,2026-03-03,\n")
    world.publish(*days(1, 2, 4, 5))
    assert world.ask(HISTORY) == [("User", True, day(1), day(4), 2), ("Member", False, day(4), None, 2)]
    assert world.ask(EVENTS) == [
        (day(4), "license_changed", "User", "Member"),
        (day(4), "seat_rule_changed", "true", "false"),
    ]
    seats = "select snapshot_date, license_type, seats from seat_counts_daily where seats > 0 order by all"
    assert world.ask(seats) == [
        (day(1), "User", 1), (day(2), "User", 1), (day(3), "User", 1), (day(4), "Member", 1), (day(5), "Member", 1),
    ]  # fmt: skip
    types(world, HEADER + "user,User,true,,2026-03-05\nuser,User,true,2026-03-05,\n")
    world.publish()
    assert world.ask(HISTORY) == [("User", True, day(1), None, 4)]


def test_a_role_without_a_meaning_on_a_day_is_unmapped_there_and_counts(world: World) -> None:
    types(world, HEADER + "user,User,true,2026-03-02,\n")
    world.publish(*days(1, 2))
    assert [row[:3] for row in world.ask(HISTORY)] == [("Unmapped (user)", True, day(1)), ("User", True, day(2))]
