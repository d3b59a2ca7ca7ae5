"""What a night tells of seats and months before it: in each of these worlds, one rule of what is made again decides."""

from pathlib import Path

import pytest

from tests.history.nights import Night, after, at, differing_after, night
from tests.history.snapshots import Row

BOB: Row = {"name": "Bob", "email": "bob@x.org", "assigned_at": at(-60)}
NEW: Row = BOB | {"assigned_at": at(-6)}
KEY: Row = {"license_type": "API Key", "role": None, "name": "build", "assigned_at": at(-60)}
IN_LAB: Row = KEY | {"workspace_id": "w1"}
INVITE: Row = {"status": "Pending", "email": "bob@x.org", "assigned_at": at(-70)}
JANUARY, FEBRUARY, MARCH = 5, 6, 34
"""The last day of January, and the first ones of February and March."""
KEYS_FREE = {"prices": "User,all,,,30.00,EUR\n"}
KEYS_BILLED = {"prices": "User,all,,,30.00,EUR\nAPI Key,all,,,5.00,EUR\n"}


def bobs_lab(since: int | None = None, until: int | None = None) -> dict[str, str]:
    """A file of cost centres by which Bob is of the lab from the one day to the other."""
    bounds = ",".join("" if number is None else str(after(number)) for number in (since, until))
    return {"cost_centres": f"id,bob,Lab,{bounds}\n"}


Nights = tuple[list[Night], Night]
WORLDS: dict[str, Nights] = {
    "days that were carried forward are none any more once one of their month is observed": (
        [night(0, "a", user={"bob": BOB}, reference=bobs_lab(FEBRUARY + 2)), night(FEBRUARY + 9, "b", user={})],
        night(FEBRUARY + 8, "a", user={"bob": BOB}),
    ),
    "a day comes late, after which days were carried forward": (
        [night(0, "a", user={"bob": BOB}, reference=bobs_lab(2)), night(FEBRUARY + 9, "b", user={})],
        night(4, "a", user={"bob": BOB}),
    ),
    "keys have a price from now on": (
        [
            night(JANUARY, user={"bob": BOB}, api_key={"k1": KEY}),
            night(FEBRUARY, user={"bob": BOB}, api_key={"k1": KEY}),
        ],
        night(FEBRUARY + 1, user={"bob": BOB}, api_key={"k1": KEY}, reference=KEYS_BILLED),
    ),
    "keys have no price any more": (
        [
            night(JANUARY, user={"bob": BOB}, api_key={"k1": KEY}, reference=KEYS_BILLED),
            night(FEBRUARY, user={"bob": BOB}, api_key={"k1": KEY}),
        ],
        night(FEBRUARY + 1, user={"bob": BOB}, api_key={"k1": KEY}, reference=KEYS_FREE),
    ),
    "members are read for the first time, and days before them do not count any more": (
        [night(JANUARY, api_key={"k1": KEY}, reference=KEYS_BILLED)],
        night(FEBRUARY, user={"bob": BOB}, api_key={"k1": KEY}),
    ),
    "an organization is read for the first time, and on a day before those that are known": (
        [night(number, "a", user={"bob": BOB}) for number in (JANUARY, FEBRUARY)],
        night(0, "b", user={"bob": BOB}, api_key={"k1": KEY}, invite={"i1": INVITE}),
    ),
    "a cost centre is told of a month that is over": (
        [night(number, user={"bob": BOB}) for number in (JANUARY, FEBRUARY)],
        night(FEBRUARY + 1, user={"bob": BOB}, reference=bobs_lab(0)),
    ),
    "a line of cost centres is taken away": (
        [night(0, user={"bob": BOB}, reference=bobs_lab())],
        night(1, user={"bob": BOB}, reference={"cost_centres": ""}),
    ),
    "a line of cost centres begins": (
        [night(0, user={"bob": BOB}, reference=bobs_lab(since=1))],
        night(2, user={"bob": BOB}),
    ),
    "a line of cost centres ends": (
        [night(0, user={"bob": BOB}, reference=bobs_lab(until=1))],
        night(2, user={"bob": BOB}),
    ),
    "a line of cost centres began while only another organization was read": (
        [night(0, "a", user={"bob": BOB}, reference=bobs_lab(since=2)), night(3, "b", user={})],
        night(4, "a", user={"bob": BOB}),
    ),
    "a key was first seen on a day that did not count": (
        [night(0, user={"bob": BOB}, api_key={}, reference=KEYS_BILLED), night(1, api_key={"k1": KEY})],
        night(2, user={"bob": BOB}),
    ),
    "a key was gone on a day that did not count": (
        [night(0, user={"bob": BOB}, api_key={"k1": KEY}, reference=KEYS_BILLED), night(1, api_key={})],
        night(2, user={"bob": BOB}),
    ),
    "the workspace of a key that is gone has a name, by which it is of a cost centre": (
        [
            night(
                0, user={}, api_key={"k1": IN_LAB}, reference=KEYS_BILLED | {"cost_centres": "workspace,Lab,Lab,,\n"}
            ),
            night(1, user={}, api_key={}),
        ],
        night(2, user={}, api_key={"k2": IN_LAB | {"workspace_name": "Lab"}}),
    ),
    "an invited person is a member, while invites cannot be read": (
        [night(0, user={}, invite={"i1": INVITE})],
        night(1, user={"bob": BOB}),
    ),
    "a report has reached a month that is over": (
        [night(number, user={"bob": BOB}) for number in (JANUARY, FEBRUARY)],
        night(FEBRUARY + 1, user={"bob": BOB}, watched_since=after(-40)),
    ),
    "a use is told of a month that is over": (
        [night(number, user={"bob": BOB}) for number in (JANUARY, FEBRUARY)],
        night(FEBRUARY + 1, user={"bob": BOB}, uses=[{"holder_id": "bob", "usage_date": after(JANUARY - 9)}]),
    ),
    "a month of an organization that is not read goes on because another is": (
        [
            night(JANUARY, "a", user={"bob": NEW}),
            night(FEBRUARY + 9, "b", user={}),
            night(MARCH - 1, "b", is_read=False, uses=[{"holder_id": "zoe", "usage_date": after(MARCH - 1)}]),
        ],
        night(MARCH, "b", user={}),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("before", "last"), WORLDS.values(), ids=WORLDS.keys())
def test_the_last_night_is_as_from_nothing_where(tmp_path: Path, before: list[Night], last: Night):
    assert differing_after(tmp_path, before, last) == []
