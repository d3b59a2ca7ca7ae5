"""What is known of use: for each day by all that is known now, and never more than a source could see."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from assets.layout import DataDirectory, usage_file
from tests.history.snapshots import Row, Snapshot, World, ask, write_coverage, write_usage


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


@pytest.mark.slow
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


@pytest.mark.slow
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
        ("earlier", 6, 5, "used", "at least"),
        ("idle", None, 5, "never_seen", "at least"),
        ("key", None, None, "unknown", "unknown"),
        ("new", None, 2, "never_seen", "at least"),
        ("used", 2, 2, "used", "exact"),
    ]


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_source_that_sees_only_some_use_can_say_used_and_never_not_used(world: World) -> None:
    write_coverage(staged(world), "org", day(9), since=day(1), endpoint="claude_code", sees="some")
    write_usage(staged(world), "org", day(9), [{"holder_id": "ada", "usage_date": day(7), "source": "claude_code"}])
    world.publish(users(9, ada={}, idle={}))
    assert world.ask(UNUSED) == [("ada", 2, None, "used", "at most"), ("idle", None, None, "not_seen", "unknown")]
    states = "select holder_id, last_used_state, usage_observed_since from {} order by all"
    for relation in ("license_assignments", "license_snapshots"):
        assert world.ask(states.format(relation)) == [("ada", "used", None), ("idle", "not_seen", None)]


@pytest.mark.slow
def test_coverage_that_does_not_say_what_it_sees_is_what_the_table_of_sources_says(world: World) -> None:
    """As data directories of the version before have it."""
    write_coverage(staged(world), "org", day(9), since=day(1), endpoint="claude_code", sees=None)
    world.publish(users(9, idle={}))
    assert [row[3] for row in world.ask(UNUSED)] == ["not_seen"]


@pytest.mark.slow
def test_a_report_that_stood_still_proves_nothing_after_the_day_that_it_reached(world: World) -> None:
    write_coverage(staged(world), "org", day(9), since=day(1), until=day(6))
    write_usage(staged(world), "org", day(9), [{"holder_id": "ada", "usage_date": day(4)}])
    world.publish(users(9, ada={}, idle={}, new={"assigned_at": at(8)}))
    assert sorted(world.ask(UNUSED)) == [
        ("ada", 5, 2, "used", "at least"),
        ("idle", None, 6, "never_seen", "at least"),
        ("new", None, None, "not_seen", "unknown"),
    ]
    write_coverage(staged(world), "org", day(12), since=day(1), until=day(6))
    world.publish(users(12, ada={}, idle={}))
    assert sorted(world.ask(UNUSED)) == [
        ("ada", 8, None, "used", "at most"),
        ("idle", None, None, "not_seen", "unknown"),
    ]


@pytest.mark.slow
def test_days_that_no_source_reached_break_the_watch(world: World) -> None:
    write_coverage(staged(world), "org", day(3), since=day(1), until=day(3))
    write_coverage(staged(world), "org", day(9), since=day(6), until=day(9))
    world.publish(users(9, idle={}))
    assert world.ask("select usage_observed_since, usage_observed_until from license_assignments") == [(day(6), day(9))]


def named(day_used: int, subject: str, **fields: object) -> Row:
    """A use that the report names by e-mail, matched that night to whoever `holder_id` says."""
    return {"usage_date": day(day_used), "source": "claude_code", "subject": subject, "matched_by": "email"} | fields


USES = "select usage_date, holder_id, matched_by from license_usage order by all"


@pytest.mark.slow
def test_a_use_named_by_e_mail_is_theirs_who_bore_it_that_day_and_not_the_nights_bearers(world: World) -> None:
    a, b = {"email": "Chief@example.com"}, {"email": "deputy@example.com"}
    uses = [named(2, "chief@example.com", holder_id="bob"), named(5, "chief@example.com", holder_id="bob")]
    write_usage(staged(world), "org", day(5), uses)
    # ada leaves on the 4th, and bob takes over her address
    world.publish(users(1, ada=a, bob=b), users(3, ada=a, bob=b), users(4, bob=a), users(5, bob=a))
    assert world.ask(USES) == [(day(2), "ada", "email"), (day(5), "bob", "email")]
    # the same use, told another night in other letters and matched otherwise then, stands there once
    write_usage(staged(world), "org", day(6), [named(2, "CHIEF@example.com", holder_id="cyd")])
    world.publish(users(6, bob=a))
    assert world.ask(USES) == [(day(2), "ada", "email"), (day(5), "bob", "email")]
    assert answers(world, ("license_usage",)) == [ask(world.anew(), "from license_usage")]


@pytest.mark.slow
def test_a_past_that_is_filled_later_gives_a_named_use_to_who_is_found_there(world: World) -> None:
    write_usage(staged(world), "org", day(9), [named(3, "ada@example.com", holder_id="second")])
    world.publish(users(9, second={"email": "ada@example.com", "assigned_at": at(1)}))
    assert world.ask(USES) == [(day(3), "second", "email")]
    world.publish(users(3, first={"email": "ada@example.com"}))
    assert world.ask(USES) == [(day(3), "first", "email")]
    world.publish(users(2, first={"email": "ada@example.com"}, twin={"email": "ADA@example.com"}))
    assert world.ask(USES) == [(day(3), None, "ambiguous")]
    assert answers(world, ("license_usage",)) == [ask(world.anew(), "from license_usage")]


@pytest.mark.slow
def test_before_the_history_begins_a_name_is_theirs_who_bore_it_first_and_was_there(world: World) -> None:
    write_usage(staged(world), "org", day(9), [named(2, "ada@example.com"), named(5, "ada@example.com")])
    world.publish(users(9, ada={"email": "ada@example.com", "assigned_at": at(4)}))
    assert world.ask(USES) == [(day(2), None, "unmatched"), (day(5), "ada", "email")]


@pytest.mark.slow
def test_on_a_day_that_nobody_observed_a_newcomers_use_is_theirs_who_was_there_already(world: World) -> None:
    uses = [named(2, "new@example.com"), named(3, "new@example.com")]
    write_usage(staged(world), "org", day(4), uses)
    world.publish(users(1, ada={"email": "ada@example.com"}))
    assert world.ask(USES) == [(day(2), None, "unmatched"), (day(3), None, "unmatched")]
    world.publish(users(4, ada={"email": "ada@example.com"}, new={"email": "new@example.com", "assigned_at": at(3, 9)}))
    assert world.ask(USES) == [(day(2), None, "unmatched"), (day(3), "new", "email")]
    assert answers(world, ("license_usage",)) == [ask(world.anew(), "from license_usage")]


def test_active_holders_are_counted_once_a_period_and_unknown_is_not_zero(world: World) -> None:
    """Ada becomes an admin in the middle of the week; of the first day no report has told anything."""
    used = [{"holder_id": "ada", "usage_date": day(number)} for number in (3, 4, 5)]
    write_usage(staged(world), "org", day(5), [*used, {"holder_id": "bob", "usage_date": day(4)}])
    write_coverage(staged(world), "org", day(5), day(3))
    admin = {"role": "admin", "license_type": "Admin"}
    world.publish(
        users(2, ada={}, bob={}), users(3, ada={}, bob={}), users(4, ada=admin, bob={}), users(5, ada=admin, bob={})
    )
    assert world.ask("select day, license_type, holders, active, is_complete from active_daily order by all") == [
        (day(2), "User", 2, None, False),
        (day(3), "User", 2, 1, True),
        (day(4), "Admin", 1, 1, True),
        (day(4), "User", 1, 1, True),
        (day(5), "Admin", 1, 1, True),
        (day(5), "User", 1, 0, True),
    ]
    week, month = (
        world.ask(f"select {unit}, license_type, holders, active, is_complete from {relation} order by all")
        for unit, relation in (("week", "active_weekly"), ("month", "active_monthly"))
    )
    assert week == [(day(2), "Admin", 1, 1, True), (day(2), "User", 1, 1, False)]
    assert month == [(day(1), "Admin", 1, 1, True), (day(1), "User", 1, 1, False)]


@pytest.mark.slow
def test_what_a_lost_night_told_is_not_silence_because_a_later_one_listened(world: World) -> None:
    """The later night left out what the earlier one had told; now that is lost, and with it the days up to it."""

    def night(number: int, uses: list[Row], left_out: list[date]) -> None:
        write_usage(staged(world), "org", day(number), uses, left_out)
        write_coverage(staged(world), "org", day(number), day(number - 3))
        world.publish(users(number, ada={}))

    states = "select last_used_state, usage_observed_since from license_assignments"
    night(8, [{"holder_id": "ada", "usage_date": day(7)}], [])
    night(9, [], [day(8)])
    assert world.ask(states) == [("used", day(5))]
    for dataset in (world.tree.usage, world.tree.coverage):
        usage_file(dataset, day(8), "org").unlink()
    assert ask(world.anew(), states) == [("never_seen", day(9))]
    night(10, [], [day(9)])  # made without it, so that it would tell what that had told
    assert world.ask(states) == [("never_seen", day(7))]
    night(8, [{"holder_id": "ada", "usage_date": day(7)}], [])
    assert world.ask(states) == [("used", day(5))] == ask(world.anew(), states)
