"""The drop guard: an answer with far fewer holders than the last snapshot is not published unasked."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from assets.errors import SnapshotRefused
from assets.resources import DropGuard
from tests.scripted import DAY, NEXT_NIGHT, Nights, ScriptedApi, api_key, error, user

Start = Callable[..., Nights]
NEXT = DAY + timedelta(days=1)


def people(count: int) -> list[dict]:
    return [user(n) for n in range(count)]


def two_nights(nights: Start, then: int, now: int, guard: DropGuard | None = None) -> Nights:
    api = ScriptedApi(users=people(then), api_keys=[api_key(1)])
    made = nights(api)
    made.night()
    api.lists["users"] = people(now)
    made.night(NEXT, guard=guard)
    return made


def test_a_drop_that_is_too_large_is_not_published_and_says_both_counts_and_the_way_out(nights: Start):
    with pytest.raises(SnapshotRefused) as caught:
        two_nights(nights, 1500, 1100)
    assert str(caught.value) == (
        "Acme (org_1): on 2026-06-02 there are 1,100 members, after 1,500 in the snapshot of 2026-06-01: 400 gone at "
        "once (the guard allows 20 % or 10). The snapshot was not published and the last one stands. If so many have "
        "really gone, run again with --accept-drop."
    )


def test_a_generous_guard_lets_a_large_drop_pass(nights: Start):
    assert two_nights(nights, 50, 5, DropGuard(percent=95)).facts(NEXT).users == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("then", "now", "refused"),
    [
        (100, 80, False),
        (100, 79, True),
        (20, 10, False),
        (20, 9, True),
        (10, 0, False),
        (11, 0, True),
        (50, 500, False),
    ],
)
def test_more_than_a_fifth_and_more_than_ten_must_be_gone(nights: Start, then: int, now: int, refused: bool):
    if not refused:
        assert two_nights(nights, then, now).facts(NEXT).users == now
        return
    with pytest.raises(SnapshotRefused):
        two_nights(nights, then, now)


def test_a_refused_snapshot_leaves_nothing_behind(nights: Start):
    made = nights(ScriptedApi(users=people(50)))
    made.night()
    made.api.lists["users"] = people(5)
    with pytest.raises(SnapshotRefused):
        made.night(NEXT)
    assert not made.file(NEXT).exists()
    assert made.facts().users == 50


def test_who_accepts_the_drop_gets_the_snapshot(nights: Start):
    assert two_nights(nights, 50, 5, DropGuard(accepted=True)).facts(NEXT).users == 5


def test_the_limits_can_be_set(nights: Start):
    with pytest.raises(SnapshotRefused, match=r"the guard allows 5 % or 1\)"):
        two_nights(nights, 50, 46, DropGuard(percent=5, holders=1))


def test_keys_are_guarded_on_their_own(nights: Start):
    api = ScriptedApi(users=people(500), api_keys=[api_key(n) for n in range(40)])
    made = nights(api)
    made.night()
    api.lists["api_keys"] = [api_key(1)]
    with pytest.raises(SnapshotRefused, match="there are 1 API keys, after 40"):
        made.night(NEXT)


def test_what_has_become_unknown_has_not_dropped(nights: Start):
    api = ScriptedApi(users=people(50), api_keys=[api_key(1)])
    made = nights(api)
    made.night()
    api.says["users"] = lambda _: error(403)
    made.night(NEXT)
    assert made.facts(NEXT).users is None


def test_a_night_on_which_it_was_unknown_does_not_hide_the_drop(nights: Start):
    api = ScriptedApi(users=people(50), api_keys=[api_key(1)])
    made = nights(api)
    made.night()
    api.says["users"] = lambda _: error(403)
    made.night(NEXT)
    del api.says["users"]
    api.lists["users"] = people(5)
    with pytest.raises(SnapshotRefused, match="after 50 in the snapshot of 2026-06-01"):
        made.night(NEXT + timedelta(days=1))


def test_the_closing_snapshot_is_measured_against_the_days_provisional_one(nights: Start):
    api = ScriptedApi(users=people(50))
    made = nights(api)
    made.night(at=NEXT_NIGHT - timedelta(hours=14))
    api.lists["users"] = people(5)
    with pytest.raises(SnapshotRefused):
        made.night()
    assert made.facts().users == 50


@pytest.mark.slow
@pytest.mark.parametrize(("later", "refused"), [(50, True), (38, True), (8, False)])
def test_a_day_that_was_refused_is_filled_later_only_where_a_later_closing_day_has_as_few(
    nights: Start, later: int, refused: bool
):
    """Fifty, five, and what came after: what nobody accepted and what did not last is an answer's fault, not a drop."""
    api = ScriptedApi(users=people(50))
    made = nights(api)
    made.night()
    api.lists["users"] = people(5)
    few = made.observe(NEXT)
    api.lists["users"] = people(later)
    made.night(NEXT + timedelta(days=1), guard=DropGuard(accepted=True))
    if refused:
        with pytest.raises(SnapshotRefused, match="45 gone at once"):
            made.derive(few)
    else:
        assert made.derive(few).facts.users == 5


def test_a_later_day_that_is_only_provisional_says_nothing_for_a_drop(nights: Start):
    api = ScriptedApi(users=people(50))
    made = nights(api)
    made.night()
    api.lists["users"] = people(5)
    few = made.observe(NEXT)
    today = NEXT + timedelta(days=1)
    made.night(today, at=NEXT_NIGHT + timedelta(days=1, hours=3), guard=DropGuard(accepted=True))
    assert not made.facts(today).is_final
    with pytest.raises(SnapshotRefused, match="45 gone at once"):
        made.derive(few)
