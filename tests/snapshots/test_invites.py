"""An invite is a holder while it is open; accepted, it is the way by which a member came."""

from collections.abc import Callable

import pytest

from tests.scripted import Nights, Row, ScriptedApi, activity, invite, user

Start = Callable[..., Nights]
ADDED = "2026-05-25T08:00:00Z"


def accepted(number: int, **fields: object) -> Row:
    return invite(number, **{"status": "accepted"} | fields)


def acceptance(number: int, by: int, at: str = "2026-06-01T09:00:00Z") -> Row:
    actor = {"type": "user_actor", "user_id": f"user_{by:04}"}
    return activity(number, at, "org_user_invite_accepted", invite_id=f"invite_{number:04}", actor=actor)


def links(made: Nights) -> dict[str, str | None]:
    return {id: row["invite_id"] for id, row in made.night().items() if row["holder_type"] == "user"}


@pytest.mark.parametrize(
    ("expires_at", "there"),
    [
        ("2026-06-01T23:59:59Z", False),
        ("2026-06-02T00:00:00Z", True),
        ("2026-06-02T01:00:00Z", True),
        (None, True),
    ],
)
def test_a_pending_invite_past_its_end_at_the_close_of_the_day_holds_nothing(
    nights: Start, expires_at: str | None, there: bool
):
    made = nights(ScriptedApi(users=[user(1)], invites=[invite(1, expires_at=expires_at)]))
    assert ("invite_0001" in made.night()) == there
    assert made.facts().invites == there


@pytest.mark.slow
@pytest.mark.parametrize(
    ("accepted_at", "address", "linked"),
    [
        (ADDED, "guest1@acme.example", True),
        (ADDED, "another@acme.example", True),
        ("2026-05-25T07:59:00Z", "another@acme.example", True),
        ("2026-05-25T07:58:59Z", "another@acme.example", False),
        ("2026-05-25T08:01:00Z", "another@acme.example", True),
        ("2026-05-25T08:01:01Z", "another@acme.example", False),
        # at another hour, its own address tells all the same; on another day, it was another membership's
        ("2026-05-25T07:50:00Z", "user1@acme.example", True),
        ("2026-05-22T08:00:00Z", "user1@acme.example", False),
        (None, "another@acme.example", False),
    ],
)
def test_whoever_was_added_in_the_minute_of_the_acceptance_came_by_it(
    nights: Start, accepted_at: str | None, address: str, linked: bool
):
    made = nights(
        ScriptedApi(users=[user(1, added_at=ADDED)], invites=[accepted(1, email=address, accepted_at=accepted_at)])
    )
    assert links(made) == {"user_0001": "invite_0001" if linked else None}


def test_where_a_minute_fits_several_the_address_decides_or_nothing(nights: Start):
    people = [user(n, added_at=ADDED) for n in (1, 2, 3)]
    invites = [
        accepted(1, email="USER1@acme.example", accepted_at=ADDED),
        accepted(2, email="user2@acme.example", accepted_at=ADDED),
        accepted(3, email="another@acme.example", accepted_at=ADDED),
    ]
    assert links(nights(ScriptedApi(users=people, invites=invites))) == {
        "user_0001": "invite_0001",
        "user_0002": "invite_0002",
        "user_0003": None,
    }


def test_else_the_feed_names_who_accepted(nights: Start):
    people = [user(1, added_at="2026-06-01T09:00:02Z"), user(2, added_at="2026-05-01T08:00:00Z")]
    api = ScriptedApi(
        users=people,
        invites=[accepted(1, email="another@acme.example"), accepted(2, email="more@acme.example")],
        # user_0002 was a member long before: not by this one
        activities=[acceptance(2, by=2), acceptance(1, by=1)],
    )
    assert links(nights(api)) == {"user_0001": "invite_0001", "user_0002": None}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "linked"),
    [
        ({}, True),
        ({"email": "USER1@ACME.example"}, True),
        ({"email": "another@acme.example"}, False),
        ({"status": "expired"}, False),
        ({"status": "deleted"}, False),
        ({"invited_at": "2026-05-25T08:00:01Z"}, False),
        ({"expires_at": "2026-05-25T07:00:00Z"}, False),
        ({"expires_at": None}, True),
    ],
)
def test_else_an_accepted_invite_to_the_address_that_was_open_then(nights: Start, fields: Row, linked: bool):
    made = nights(
        ScriptedApi(users=[user(1, added_at=ADDED)], invites=[accepted(1, **{"email": "user1@acme.example"} | fields)])
    )
    assert links(made) == {"user_0001": "invite_0001" if linked else None}


def test_of_several_invites_to_an_address_the_latest_brought_the_member(nights: Start):
    invites = [
        accepted(n, email="user1@acme.example", invited_at=f"2026-05-{day}T08:00:00Z")
        for n, day in ((1, 10), (2, 24), (3, 12))
    ]
    assert links(nights(ScriptedApi(users=[user(1, added_at=ADDED)], invites=invites))) == {"user_0001": "invite_0002"}


def test_an_invite_brings_one_member(nights: Start):
    people = [user(n, email="team@acme.example", added_at=f"2026-05-25T0{n}:00:00Z") for n in (1, 2)]
    invites = [accepted(1, email="team@acme.example", accepted_at="2026-05-25T02:00:00Z")]
    assert links(nights(ScriptedApi(users=people, invites=invites))) == {"user_0001": None, "user_0002": "invite_0001"}


def test_a_better_reason_goes_before_a_worse_one(nights: Start):
    """By its address the invite would be the first member's; the feed says that the second accepted it."""
    people = [user(1, added_at="2026-06-01T08:00:00Z"), user(2, added_at="2026-06-01T09:00:00Z")]
    api = ScriptedApi(users=people, invites=[accepted(1, email="user1@acme.example")], activities=[acceptance(1, by=2)])
    assert links(nights(api)) == {"user_0001": None, "user_0002": "invite_0001"}


@pytest.mark.parametrize(
    "script",
    [
        {"invites": [accepted(1, accepted_at="2026-06-02T00:30:00Z")]},
        {
            "invites": [accepted(1)],
            "users": [user(1), user(2, email="GUEST1@acme.example", added_at="2026-06-02T00:30:00Z")],
        },
        {"invites": [accepted(1)], "activities": [acceptance(1, 2, "2026-06-02T00:30:00Z")]},
        {
            "invites": [invite(1, status="deleted")],
            "activities": [activity(1, "2026-06-02T00:30:00Z", "org_user_invite_deleted", invite_id="invite_0001")],
        },
    ],
)
def test_an_invite_that_ended_between_the_close_of_the_day_and_the_look_at_it_was_open_at_the_close(
    nights: Start, script: dict[str, list[Row]]
):
    made = nights(ScriptedApi(**{"users": [user(1)]} | script))
    rows = made.night()
    assert rows["invite_0001"]["status"] == "Pending"
    assert "user_0002" not in rows
