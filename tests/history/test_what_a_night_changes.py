"""What a night tells of days and people before it: in each of these worlds, one rule of what is made again decides."""

from pathlib import Path

import pytest

from assets.snapshots.schema import ATTRIBUTES_TOLD
from tests.history.nights import Night, after, at, differing_after, night
from tests.history.snapshots import Row

ADA: Row = {"name": "Ada", "email": "ada@x.org", "assigned_at": at(-6)}
BOB: Row = {"name": "Bob", "assigned_at": at(-6)}
ZOE: Row = {"name": "Zoe", "email": "zoe@x.org", "assigned_at": at(-1)}
INVITE: Row = {"status": "Pending", "email": "ada@x.org", "assigned_at": at(-9)}
KEY: Row = {"license_type": "API Key", "role": None, "name": "build", "owner_type": "user", "assigned_at": at(-3)}
OF_ADA: Row = KEY | {"owner_user_id": "ada", "owner_status": "unknown"}
IN_LAB: Row = KEY | {"workspace_id": "w1"}
OTHERWISE: dict[str, object] = {
    "role": "admin",
    "status": "Disabled",
    "expires_at": at(90),
    "assigned_at": at(-1),
} | dict.fromkeys(ATTRIBUTES_TOLD - {"role", "status", "expires_at", "assigned_at"}, "another")
"""Each attribute that a holder has, and what it may be told to be instead."""
EMAIL = {"subject": "x@x.org", "matched_by": "email"}

Nights = tuple[list[Night], Night]
WORLDS: dict[str, Nights] = {
    "of each holder another attribute is told than before": (
        [night(0, user=dict.fromkeys(OTHERWISE, BOB))],
        night(1, user={name: BOB | {name: value} for name, value in OTHERWISE.items()}),
    ),
    "a license type is told where there is no role": (
        [night(0, user={"bob": BOB | {"role": None, "license_type": "Seat"}})],
        night(1, user={"bob": BOB | {"role": None, "license_type": "Place"}}),
    ),
    "somebody whom nobody knew has come": (
        [night(0, user={"ada": ADA})],
        night(1, user={"ada": ADA, "zoe": ZOE}),
    ),
    "somebody who was gone came back as they were": (
        [night(0, user={"bob": BOB}), night(1, user={})],
        night(2, user={"bob": BOB}),
    ),
    "a list of invites, read for the first time, tells by which one a member came": (
        [night(0, user={"ada": ADA})],
        night(1, user={"ada": ADA}, invite={"i1": INVITE}),
    ),
    "the invite that a member seemed to have accepted was somebody else's": (
        [night(0, user={"ada": ADA}, invite={"i1": INVITE})],
        night(1, user={"ada": ADA, "zoe": ZOE | {"invite_id": "i1"}}, invite={}),
    ),
    "who came a day ago turns out to have come by an invite that ended then: it did not leave": (
        [night(0, user={}, invite={"i1": INVITE}), night(1, user={"zoe": ZOE}, invite={})],
        night(2, user={"zoe": ZOE | {"invite_id": "i1"}}, invite={}),
    ),
    "who accepted an invite turns out to be another, who was there before: it took no second seat at all": (
        [
            night(0, user={"bob": BOB}, invite={"i1": INVITE}),
            night(1, user={"bob": BOB, "ada": ADA}, invite={"i1": INVITE}),
        ],
        night(2, user={"bob": BOB | {"invite_id": "i1"}, "ada": ADA}, invite={"i1": INVITE}),
    ),
    "a member turns out to have come by another invite than that of their address, which has led to nobody": (
        [
            night(0, user={}, invite={"i1": INVITE, "i2": INVITE | {"email": "zoe@x.org"}}),
            night(1, user={}, invite={"i1": INVITE}),
            night(2, user={"ada": ADA}, invite={}),
        ],
        night(3, user={"ada": ADA | {"invite_id": "i2"}}, invite={}),
    ),
    "a member turns out to have come by an invite, which took no second seat from its first day on": (
        [night(0, user={"bob": BOB}, invite={"i1": INVITE})],
        night(1, user={"bob": BOB | {"invite_id": "i1"}}, invite={"i1": INVITE}),
    ),
    "invites take no seats any more": (
        [night(0, user={}, invite={"i1": INVITE})],
        night(
            1,
            user={},
            invite={"i1": INVITE},
            reference={"billing": "organization,convention,currency,invites_take_seats\nall,,,false\n"},
        ),
    ),
    "a key's owner leaves": (
        [night(0, user={"ada": ADA}, api_key={"k1": OF_ADA})],
        night(1, user={}, api_key={"k1": OF_ADA}),
    ),
    "a workspace of which one key tells the name is that of a key that is gone": (
        [night(0, api_key={"k1": IN_LAB}), night(1, api_key={})],
        night(2, api_key={"k2": IN_LAB | {"workspace_name": "Lab"}}),
    ),
    "the default workspace's id becomes known": (
        [night(0, api_key={"k1": KEY})],
        night(1, api_key={"k1": KEY}, default_workspace="w1"),
    ),
    "the default workspace is another": (
        [night(0, api_key={"k1": KEY}, default_workspace="w1")],
        night(1, api_key={"k1": KEY}, default_workspace="w2"),
    ),
    "the first list of members tells whose a key is that is gone": (
        [night(0, api_key={"k1": OF_ADA}), night(1, api_key={})],
        night(2, user={"ada": ADA}, api_key={}),
    ),
    "the first list of members comes while keys cannot be read": (
        [night(0, api_key={"k1": OF_ADA})],
        night(1, user={"ada": ADA}),
    ),
    "what was used on a day is known before who held what on it": (
        [night(0, user={"bob": BOB}), night(1, is_read=False, uses=[{"holder_id": "bob", "usage_date": after(1)}])],
        night(1, user={"bob": BOB | {"license_type": "Admin", "role": "admin"}}),
    ),
    "a use is told of another week and month": (
        [night(number, user={"bob": BOB}) for number in (0, 7)],
        night(8, user={"bob": BOB}, uses=[{"holder_id": "bob", "usage_date": after(1)}]),
    ),
    "a use is told before its day has come": (
        [night(0, user={"bob": BOB}, uses=[{"holder_id": "bob", "usage_date": after(1)}])],
        night(1, user={"bob": BOB}),
    ),
    "a use is told before its day has come, in a week that another organization's night has begun": (
        [*(night(number, "a", user={"bob": BOB}) for number in (0, 1)), night(0, "b", user={"bob": BOB})],
        night(1, "b", user={"bob": BOB}, uses=[{"holder_id": "bob", "usage_date": after(2)}]),
    ),
    "what one night told of use, an earlier one had told, which comes only now": (
        [
            night(0, user={"bob": BOB}, uses=[{"holder_id": "bob", "usage_date": after(0)}]),
            night(1, user={"bob": BOB}),
            night(2, user={"bob": BOB}, uses=[{"holder_id": "bob", "usage_date": after(1)}]),
        ],
        night(1, is_read=False, uses=[{"holder_id": "bob", "usage_date": after(1)}]),
    ),
    "an e-mail that nobody had was a member's on the day of its use": (
        [night(0, user={"bob": BOB}), night(1, uses=[EMAIL | {"usage_date": after(1)}])],
        night(2, user={"bob": BOB | {"email": "x@x.org"}}),
    ),
    "an e-mail that was a member's on the day of its use was another's, too": (
        [
            night(0, user={"ada": ADA | {"email": "x@x.org"}, "bob": BOB}),
            night(1, is_read=False, uses=[EMAIL | {"usage_date": after(1)}]),
        ],
        night(1, user={"ada": ADA, "bob": BOB | {"email": "x@x.org"}}),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("before", "last"), WORLDS.values(), ids=WORLDS.keys())
def test_the_last_night_is_as_from_nothing_where(tmp_path: Path, before: list[Night], last: Night):
    assert differing_after(tmp_path, before, last) == []


@pytest.mark.slow
@pytest.mark.parametrize("there", [(True, False), (False, True)], ids=["gone again", "came back"])
def test_two_days_come_at_once_and_somebody_is_there_on_one_of_them(tmp_path: Path, there: tuple[bool, bool]):
    known = [night(number, user={"bob": BOB}) for number in (0, 1)]
    days = [night(2 + number, user={"bob": BOB} if is_there else {}) for number, is_there in enumerate(there)]
    assert differing_after(tmp_path, known, *days) == []
