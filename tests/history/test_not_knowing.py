"""Not knowing is no change: what could not be read makes no event, ends no interval and moves nobody."""

from datetime import UTC, date, datetime

import pytest

from tests.history.snapshots import Row, Snapshot, World

ADA = {"name": "Ada", "email": "ada@example.com", "assigned_at": datetime(2026, 1, 1, tzinfo=UTC)}
KEY: Row = {
    "license_type": "API Key",
    "role": None,
    "name": "ci",
    "owner_type": "user",
    "owner_user_id": "ada",
    "workspace_id": "w1",
    "assigned_at": datetime(2026, 2, 1, tzinfo=UTC),
}
READ = KEY | {"owner_status": "member", "owner_email": "ada@example.com", "workspace_name": "Research"}
UNREAD = KEY | {"owner_status": "unknown"}
LEFT = KEY | {"owner_status": "left", "workspace_name": "Research"}
EVENTS = (
    "select event_date, holder_id, event, before, after from license_events where previous_date is not null "
    "order by all"
)
KEYS = (
    "select owner_email, owner_status, workspace_name, valid_from, valid_to from license_history "
    "where holder_type = 'api_key' order by valid_from"
)


def day(number: int) -> date:
    return date(2026, 3, number)


def night(number: int, key: Row | None, *, members: bool = True, **fields: object) -> Snapshot:
    rosters: dict[str, dict[str, Row]] = {"user": {"ada": ADA}} if members else {}
    if key:
        rosters["api_key"] = {"key": key}
    return Snapshot("org", day(number), rosters, **fields)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_night_without_members_and_workspaces_makes_no_event_and_ends_no_interval(world: World) -> None:
    world.publish(night(1, READ, workspaces=True), night(2, UNREAD, members=False, workspaces=False))
    world.publish(night(3, READ, workspaces=True))
    assert world.ask(EVENTS) == []
    assert world.ask(KEYS) == [("ada@example.com", "member", "Research", day(1), None)]
    said = (
        "select snapshot_date, owner_status, workspace_name, owner_as_of, workspace_as_of from license_snapshots "
        "where holder_type = 'api_key' order by all"
    )
    assert world.ask(said)[1] == (day(2), "member", "Research", day(1), day(1))


@pytest.mark.slow
def test_on_such_a_night_nobody_is_dropped_from_who_holds_what_now(world: World) -> None:
    world.publish(night(1, READ, workspaces=True), night(2, UNREAD, members=False, workspaces=False))
    columns = "holder_id, snapshot_date, is_observed, as_of, coalesce(owner_email, email)"
    now = f"select {columns} from license_assignments order by all"
    assert world.ask(now) == [
        ("ada", day(2), False, day(1), "ada@example.com"),
        ("key", day(2), True, day(2), "ada@example.com"),
    ]
    world.publish(night(3, None, members=True))
    assert [row[:4] for row in world.ask(now)] == [("ada", day(3), True, day(3)), ("key", day(3), False, day(2))]


@pytest.mark.slow
def test_an_owner_has_left_on_the_day_on_which_that_is_known(world: World) -> None:
    world.publish(
        night(1, READ), night(2, UNREAD, members=False), Snapshot("org", day(3), {"user": {}, "api_key": {"key": LEFT}})
    )
    world.publish(Snapshot("org", day(4), {"api_key": {"key": UNREAD}}))
    assert [event for event in world.ask(EVENTS) if event[1] == "key"] == [
        (day(3), "key", "owner_email_changed", "ada@example.com", None),
        (day(3), "key", "owner_left", "member", "left"),
    ]


@pytest.mark.slow
def test_what_could_not_be_read_on_the_first_night_is_no_change_when_it_can(world: World) -> None:
    """Ada had been added long before, so she was a member already; the workspace has the name that is first told."""
    world.publish(night(1, UNREAD, members=False, workspaces=False), night(2, READ, workspaces=True))
    assert world.ask(EVENTS) == []
    assert world.ask(KEYS) == [("ada@example.com", "member", "Research", day(1), None)]
    columns = "owner_as_of, workspace_as_of"
    said = f"select {columns} from license_snapshots where holder_type = 'api_key' order by snapshot_date"
    assert world.ask(said) == [(None, None), (day(2), day(2))]


def test_an_owner_who_was_added_later_is_unknown_on_the_day_before_and_that_is_no_event(world: World) -> None:
    added = Snapshot("org", day(2), {"user": {"ada": ADA | {"assigned_at": datetime(2026, 3, 2, 9, tzinfo=UTC)}}})
    read = Snapshot("org", day(3), {"user": added.rosters["user"], "api_key": {"key": READ}})
    world.publish(night(1, UNREAD, members=False), added, read)
    assert [row[:2] for row in world.ask(KEYS)] == [(None, "unknown"), ("ada@example.com", "member")]
    assert [event for event in world.ask(EVENTS) if event[1] == "key"] == []


@pytest.mark.slow
def test_a_repaired_day_is_what_the_nights_after_it_look_back_to(world: World) -> None:
    """And one more day on top is the same as building anew."""
    world.publish(night(1, READ), night(2, UNREAD, members=False, workspaces=False), night(3, READ))
    renamed = READ | {"workspace_name": "Lab"}
    world.publish(night(1, renamed, workspaces=True))
    names = "select snapshot_date, workspace_name from license_snapshots where holder_type = 'api_key' order by all"
    assert world.ask(names) == [(day(1), "Lab"), (day(2), "Lab"), (day(3), "Research")]


@pytest.mark.slow
@pytest.mark.parametrize("default", [None, "w0"])
def test_a_key_of_the_default_workspace_has_not_moved_when_the_api_changes_its_shape(
    world: World, default: str | None
) -> None:
    older: Row = KEY | {"workspace_id": None}
    newer: Row = KEY | {"workspace_id": "w0", "key_scope": "workspace", "workspace_name": "Default"}
    shared: Row = KEY | {"workspace_id": None}

    def both(number: int, one: Row, other: Row, **fields: object) -> Snapshot:
        return Snapshot("org", day(number), {"api_key": {"one": one, "other": other}}, **fields)  # type: ignore[arg-type]

    world.publish(both(1, older, shared, workspaces=True, default_workspace=default))
    world.publish(both(2, newer, shared | {"key_scope": "organization"}, workspaces=True, default_workspace="w0"))
    world.publish(both(3, older, shared, workspaces=True, default_workspace=default))
    assert world.ask(EVENTS) == []
    columns = "holder_id, workspace_id, workspace_name, key_scope, valid_from, valid_to"
    assert world.ask(f"select {columns} from license_history order by all") == [
        ("one", "w0", "Default", "workspace", day(1), None),
        ("other", None, None, "organization", day(1), None),
    ]
    world.publish(both(4, KEY | {"key_scope": "workspace"}, shared, workspaces=True))
    assert world.ask(EVENTS) == [(day(4), "one", "workspace_moved", "w0", "w1")]


@pytest.mark.slow
def test_a_renamed_organization_is_one_fact_and_no_change_of_anybodys_license(world: World) -> None:
    world.publish(night(1, READ), night(2, READ, name="New Name"), night(3, READ, name=None))
    assert world.ask("select organization_name, valid_from, valid_to from organizations order by all") == [
        ("New Name", day(2), None),
        ("Org", day(1), day(2)),
    ]
    assert world.ask(EVENTS) == []
    assert world.ask("select count(*), min(organization_name) from license_history") == [(2, "New Name")]
    names = "select distinct snapshot_date, organization_name from license_snapshots order by all"
    assert world.ask(names) == [(day(1), "Org"), (day(2), "New Name"), (day(3), "New Name")]


@pytest.mark.slow
def test_a_file_that_lacks_a_column_changes_nobodys_name(world: World) -> None:
    world.publish(
        night(1, None), Snapshot("org", day(2), {"user": {"ada": {"email": "ada@example.com"}}}), night(3, None)
    )
    assert world.ask(EVENTS) == []
