"""What days can do to a history: gaps, returns, unknown rosters, replacements."""

from datetime import UTC, date, datetime

import pytest

from tests.history.snapshots import Row, Snapshot, World, ask

A = {"name": "Ada", "email": "Ada@Example.com"}
KEY = {"license_type": "API Key", "role": None, "name": "ci"}
INTERVALS = "select holder_id, valid_from, valid_to, days_observed from license_history order by all"


def day(number: int) -> date:
    return date(2026, 3, number)


def users(number: int, **holders: Row) -> Snapshot:
    return Snapshot("org", day(number), {"user": holders})


def test_nulls_are_equal_so_an_empty_attribute_does_not_end_an_interval(world: World) -> None:
    world.publish(users(1, ada={"name": None, "role": None}), users(2, ada={"name": None, "role": None}))
    assert world.ask(INTERVALS) == [("ada", day(1), None, 2)]


def test_who_left_and_returned_has_two_intervals_with_a_hole_between(world: World) -> None:
    world.publish(users(1, ada=A, bob=A), users(2, bob=A), users(3, ada=A, bob=A))
    assert world.ask(INTERVALS) == [("ada", day(1), day(2), 1), ("ada", day(3), None, 1), ("bob", day(1), None, 3)]
    assert world.ask("select event_date, previous_date, event, before, after from license_events "
                     "where holder_id = 'ada' order by all") == [
        (day(1), None, "joined", None, "User"),
        (day(2), day(1), "left", "User", None),
        (day(3), day(2), "returned", None, "User"),
    ]  # fmt: skip


def test_a_gap_ends_nothing_and_its_days_answer_with_the_last_state_known(world: World) -> None:
    world.publish(users(1, ada=A, bob=A), users(4, ada=A))
    assert world.ask(INTERVALS) == [("ada", day(1), None, 2), ("bob", day(1), day(4), 1)]
    assert world.ask("from snapshot_gaps order by all") == [("org", day(2)), ("org", day(3))]
    on_a_gap = "select holder_id, as_of, is_observed from licenses_on(?) order by all"
    assert world.ask(on_a_gap, day(3)) == [("ada", day(1), False), ("bob", day(1), False)]
    assert world.ask("select seats, is_observed from seats_on(?)", day(3)) == [(2, False)]
    assert world.ask("select event_date, previous_date from license_events where event = 'left'") == [(day(4), day(1))]


def test_before_the_first_snapshot_day_there_is_no_answer_and_after_the_last_one_what_was_known_last(
    world: World,
) -> None:
    world.publish(users(2, ada=A), users(3, ada=A))
    assert world.ask("from licenses_on(?)", day(1)) == world.ask("from seats_on(?)", day(1)) == []
    for later in (day(4), date(2029, 1, 1)):
        assert world.ask("select holder_id, is_observed, as_of from licenses_on(?)", later) == [("ada", False, day(3))]
        assert world.ask("select seats, is_observed, as_of from seats_on(?)", later) == [(1, False, day(3))]


@pytest.mark.slow
def test_no_sum_over_organizations_falls_because_one_of_them_was_not_read(world: World) -> None:
    other = [Snapshot("other", day(number), {"user": {"bob": A}}) for number in (1, 2, 3, 4)]
    world.publish(users(1, ada=A), users(2, ada=A), *other)
    sums = "select snapshot_date, sum(seats), bool_and(is_observed), min(as_of) from {} group by all order by all"
    carried = [
        (day(1), 2, True, day(1)),
        (day(2), 2, True, day(2)),
        (day(3), 2, False, day(2)),
        (day(4), 2, False, day(2)),
    ]
    assert world.ask(sums.format("seat_counts_daily")) == carried
    assert world.ask(sums.format("seats_between(date '2026-03-03', date '2026-03-04')")) == carried[2:]
    assert world.ask("select count(*) from licenses_on(current_date)") == [(2,)]
    until_today = world.ask("select max(snapshot_date), sum(seats) filter (where snapshot_date = current_date) "
                            "from seats_between(date '2026-03-01', date '2999-01-01')")  # fmt: skip
    assert until_today == world.ask("select greatest(current_date, date '2026-03-04'), 2")


@pytest.mark.slow
def test_a_month_in_which_nobody_looked_at_one_organization_shows_what_was_known_of_it(world: World) -> None:
    world.publish(users(1, ada=A), users(2, ada=A), Snapshot("other", date(2026, 4, 2), {"user": {"bob": A}}))
    months = (
        "select month, organization_id, seats_month_end, days_observed, is_final from seat_counts_monthly order by all"
    )
    assert world.ask(months) == [
        (date(2026, 3, 1), "org", 1, 2, False),
        (date(2026, 4, 1), "org", 1, 0, False),
        (date(2026, 4, 1), "other", 1, 1, False),
    ]


@pytest.mark.slow
def test_a_late_day_corrects_the_past(world: World) -> None:
    world.publish(users(1, ada=A), users(3, ada=A))
    world.publish(users(2))
    assert world.ask(INTERVALS) == [("ada", day(1), day(2), 1), ("ada", day(3), None, 1)]
    assert world.ask("from snapshot_gaps") == []


@pytest.mark.slow
def test_a_replaced_day_takes_back_what_it_said(world: World) -> None:
    world.publish(users(1, ada=A), users(2, ada=A | {"role": "admin", "license_type": "Admin"}), users(3, ada=A))
    assert len(world.ask(INTERVALS)) == 3
    world.publish(users(2, ada=A))
    assert world.ask(INTERVALS) == [("ada", day(1), None, 3)]


@pytest.mark.slow
def test_a_snapshot_that_was_taken_away_is_a_gap_again(world: World) -> None:
    world.publish(users(1, ada=A), users(2), users(3, ada=A))
    (world.tree.snapshots / f"snapshot_date={day(2)}" / "organization_id=org" / "part.parquet").unlink()
    world.publish()
    assert world.ask(INTERVALS) == [("ada", day(1), None, 2)]
    assert world.ask("from snapshot_gaps") == [("org", day(2))]


@pytest.mark.slow
def test_an_unknown_roster_is_a_gap_for_its_holders_and_no_empty_one(world: World) -> None:
    both: dict[str, dict[str, Row]] = {"user": {"ada": A}, "api_key": {"key": KEY}}
    world.publish(
        Snapshot("org", day(1), both), users(2, ada=A), Snapshot("org", day(3), both), users(4, ada=A)
    )  # fmt: skip
    assert world.ask(INTERVALS) == [("ada", day(1), None, 4), ("key", day(1), None, 2)]
    assert world.ask("select count(*) from license_events where event <> 'joined'") == [(0,)]
    keys = "select snapshot_date, seats, is_observed from seat_counts_daily where holder_type = 'api_key' order by all"
    assert world.ask(keys) == [(day(1), 1, True), (day(2), 1, False), (day(3), 1, True), (day(4), 1, False)]
    now = "select holder_id, snapshot_date, is_observed, as_of from license_assignments order by all"
    assert world.ask(now) == [("ada", day(4), True, day(4)), ("key", day(4), False, day(3))]
    on = "select holder_id, as_of, is_observed from licenses_on(?) order by all"
    assert world.ask(on, day(4)) == [("ada", day(4), True), ("key", day(3), False)]
    assert world.ask("from snapshot_gaps") == []


@pytest.mark.slow
def test_a_roster_known_to_be_empty_has_ended(world: World) -> None:
    world.publish(users(1, ada=A), users(2))
    assert world.ask("select event from license_events order by event_date") == [("joined",), ("left",)]
    assert world.ask("select snapshot_date, seats from seat_counts_daily order by all") == [(day(1), 1), (day(2), 0)]


@pytest.mark.slow
def test_one_more_day_gives_the_same_as_building_anew(world: World) -> None:
    for number in (1, 2, 5, 3):
        world.publish(users(number, ada=A, **({"bob": A} if number != 2 else {})))
    anew = world.anew()
    for table in ("license_history", "license_events", "seat_counts_daily", "seat_counts_monthly", "snapshot_log"):
        assert world.ask(f"from {table}") == ask(anew, f"from {table}"), table


def test_the_changes_between_two_days_lead_from_the_one_to_the_other(world: World) -> None:
    world.publish(users(1, ada=A), users(2, ada=A | {"name": "Ada L."}), users(3, bob=A))
    query = "select event_date, holder_id, name, event, before, after from changes_between(?, ?) order by all"
    assert world.ask(query, day(1), day(2)) == [(day(2), "ada", "Ada L.", "renamed", "Ada", "Ada L.")]
    assert world.ask(query, day(2), day(3)) == [
        (day(3), "ada", "Ada L.", "left", "User", None),
        (day(3), "bob", "Ada", "joined", None, "User"),
    ]


@pytest.mark.slow
def test_an_invite_that_was_accepted_or_has_lapsed_is_among_the_changes_by_name(world: World) -> None:
    invited = {"status": "Pending", "email": "ada@example.com", "assigned_at": datetime(2026, 2, 1, tzinfo=UTC)}
    invites = {"in_1": invited, "in_2": invited | {"email": "nobody@example.com"}}
    member = A | {"assigned_at": datetime(2026, 3, 2, 9, tzinfo=UTC)}
    world.publish(Snapshot("org", day(1), {"user": {}, "invite": invites}))
    world.publish(Snapshot("org", day(2), {"user": {"ada": member}, "invite": {}}))
    told = [
        (day(2), "ada", "Ada@Example.com", "joined"),
        (day(2), "in_1", "ada@example.com", "accepted"),
        (day(2), "in_2", "nobody@example.com", "invite_ended"),
    ]
    columns = "event_date, holder_id, email, event"
    assert world.ask(f"select {columns} from changes_between(?, ?) order by all", day(1), day(2)) == told
    story = world.ask("select holder_id, event from holder_timeline('ada@example.com')")
    assert story == [("in_1", "invited"), ("in_1", "accepted"), ("ada", "joined")]
    moved = "select holder_type, joiners, leavers, changed_out from seat_counts_monthly order by all"
    assert world.ask(moved) == [("invite", 2, 1, 1), ("user", 1, 0, 0)]


def test_a_timeline_is_found_by_id_and_by_any_e_mail_whatever_its_case(world: World) -> None:
    world.publish(users(1, ada=A, bob={"email": None}), users(2, ada=A | {"email": "new@example.com"}))
    story = [("ada", day(1), "joined"), ("ada", day(2), "email_changed")]
    for who in ("ada", "ADA@example.COM", "New@Example.com"):
        assert world.ask("select holder_id, event_date, event from holder_timeline(?)", who) == story
    assert world.ask("from holder_timeline('nobody')") == []


@pytest.mark.slow
def test_seats_between_two_days_are_the_counts_of_those_days(world: World) -> None:
    world.publish(*(users(number, ada=A) for number in (1, 2, 3)))
    days = world.ask("select snapshot_date from seats_between(?, ?) order by all", day(2), day(3))
    assert days == [(day(2),), (day(3),)]


@pytest.mark.slow
def test_invites_take_the_seat_of_their_role_and_keys_and_the_disabled_none(world: World) -> None:
    rosters: dict[str, dict[str, Row]] = {
        "user": {
            "ada": A,
            "odd": {"role": "wizard", "license_type": "Unmapped (wizard)"},
            "off": {"status": "Disabled"},
        },
        "invite": {"new": {"status": "Pending", "role": "admin", "license_type": "Admin"}},
        "api_key": {"key": KEY},
    }
    world.publish(Snapshot("org", day(1), rosters))
    assert world.ask("select license_type, status, takes_seat from seat_counts_daily order by all") == [
        ("API Key", "Active", False),
        ("Admin", "Pending", True),
        ("Unmapped (wizard)", "Active", True),
        ("User", "Active", True),
        ("User", "Disabled", False),
    ]


@pytest.mark.slow
def test_the_data_directorys_own_license_types_decide_what_takes_a_seat(world: World) -> None:
    own = world.root / "reference" / "license_types.csv"
    own.parent.mkdir()
    own.write_text("role,license_type,takes_seat\nuser,User,true\n")
    world.publish(users(1, ada=A))
    assert world.ask("select takes_seat from seat_counts_daily") == [(True,)]
    own.write_text("role,license_type,takes_seat\nuser,User,false\n")
    world.publish()
    assert world.ask("select takes_seat from seat_counts_daily") == [(False,)]


@pytest.mark.slow
def test_a_month_is_final_only_when_over_whole_and_closed(world: World) -> None:
    march = [users(number, ada=A) for number in range(1, 31)]
    final = "select is_final, days_observed, days_in_month from seat_counts_monthly where month = '2026-03-01'"
    world.publish(*march)
    assert world.ask(final) == [(False, 30, 31)]
    world.publish(Snapshot("org", day(31), {"user": {"ada": A}}, is_final=False))
    assert world.ask(final) == [(False, 31, 31)]
    world.publish(users(31, ada=A))
    assert world.ask(final) == [(True, 31, 31)]
