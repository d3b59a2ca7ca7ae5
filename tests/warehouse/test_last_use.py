"""What is known of use: for each day by all that is known now, and never more than a source could see."""

from datetime import UTC, date, datetime
from typing import Any

from assets.layout import DataDirectory
from tests.warehouse.snapshots import Row, Snapshot, World, ask, write_coverage, write_usage


def day(number: int) -> date:
    return date(2026, 3, number)


def at(number: int, hour: int = 0) -> datetime:
    return datetime(2026, 3, number, hour, tzinfo=UTC)


def users(number: int, **holders: Row) -> Snapshot:
    return Snapshot("org", day(number), {"user": holders})


LAST_USE = (
    "select snapshot_date, last_used_at, last_used_precision, last_used_source, last_used_state "
    "from license_snapshots where holder_id = 'ada' order by all"
)
UNUSED = (
    "select holder_id, days_since_last_use, days_unused_proven, last_used_state, certainty "
    "from unused_licenses order by holder_id"
)


def staged(world: World) -> DataDirectory:
    """What the next publishing takes along."""
    return world.tree.staging(f"run {world.nights + 1}")


def test_a_use_that_was_reported_late_counts_for_its_day_and_those_after_it(world: World) -> None:
    write_usage(staged(world), "org", day(3), [{"holder_id": "ada", "usage_date": day(2)}])
    world.publish(users(1, ada={}), users(2, ada={}), users(3, ada={}))
    assert world.ask(LAST_USE) == [
        (day(1), None, None, None, "unknown"),
        (day(2), at(2), "day", "analytics", "used"),
        (day(3), at(2), "day", "analytics", "used"),
    ]


def test_a_time_beats_a_day_and_use_from_before_the_assignment_is_kept_out(world: World) -> None:
    uses: list[Row] = [
        {"holder_id": "ada", "usage_date": day(1)},
        {"holder_id": "ada", "usage_date": day(2), "source": "api_key", "used_at": at(2, 9)},
        {"holder_id": "ada", "usage_date": day(3), "source": "api_key", "used_at": at(3, 7)},
        {"holder_id": "ada", "usage_date": day(3), "source": "claude_code"},
    ]
    write_usage(staged(world), "org", day(3), uses)
    ada = {"assigned_at": at(2, 10)}
    world.publish(users(2, ada=ada), users(3, ada=ada))
    assert world.ask(LAST_USE) == [
        (day(2), None, None, None, "unknown"),
        (day(3), at(3, 7), "second", "api_key", "used"),
    ]


def test_the_same_id_assigned_again_starts_without_use(world: World) -> None:
    write_usage(staged(world), "org", day(2), [{"holder_id": "ada", "usage_date": day(1)}])
    world.publish(users(1, ada={"assigned_at": at(1)}), users(2, ada={"assigned_at": at(2)}))
    assert [row[-1] for row in world.ask(LAST_USE)] == ["used", "unknown"]


def test_never_seen_is_said_only_from_when_a_source_watched(world: World) -> None:
    write_coverage(staged(world), "org", day(3), since=day(2))
    world.publish(users(1, ada={}), users(3, ada={}))
    assert [(row[0], row[-1]) for row in world.ask(LAST_USE)] == [(day(1), "unknown"), (day(3), "never_seen")]


def test_unused_licenses_says_how_sure_it_is_and_never_never(world: World) -> None:
    write_coverage(staged(world), "org", day(9), since=day(5))
    uses = [{"holder_id": "used", "usage_date": day(7)}, {"holder_id": "earlier", "usage_date": day(3)}]
    write_usage(staged(world), "org", day(9), uses)
    people: dict[str, Row] = {"used": {}, "earlier": {}, "idle": {}, "new": {"assigned_at": at(8, 12)}}
    world.publish(Snapshot("org", day(9), {"user": people, "api_key": {"key": {"license_type": "API Key"}}}))
    assert world.ask(UNUSED) == [
        ("earlier", 6, 5, "used", "exact"),
        ("idle", None, 5, "never_seen", "at least"),
        ("key", None, None, "unknown", "unknown"),
        ("new", None, 2, "never_seen", "at least"),
        ("used", 2, 2, "used", "exact"),
    ]


def test_usage_added_night_by_night_or_replaced_is_the_same_as_read_anew(world: World) -> None:
    def night(number: int, *uses: Row) -> None:
        write_usage(staged(world), "org", day(number), uses)
        write_coverage(staged(world), "org", day(number), since=day(1))
        world.publish(users(number, ada={}))

    night(2, {"holder_id": "ada", "usage_date": day(1)}, {"holder_id": "ada", "usage_date": day(2)})
    night(3, {"holder_id": "ada", "usage_date": day(2)}, {"holder_id": "bob", "usage_date": day(3)})
    tables = ("license_usage", "internal.usage_coverage", "unused_licenses")
    assert answers(world, tables) == [ask(world.anew(), f"from {table}") for table in tables]
    night(3, {"holder_id": "ada", "usage_date": day(3)})
    assert answers(world, tables) == [ask(world.anew(), f"from {table}") for table in tables]
    assert world.ask("select count(*) from license_usage where holder_id = 'bob'") == [(0,)]


def answers(world: World, tables: tuple[str, ...]) -> list[list[tuple[Any, ...]]]:
    return [world.ask(f"from {table}") for table in tables]
