"""The sandbox's API keys: created, renamed, moved, disabled, archived, expired, and what the feed says of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from sandbox.draws import Draws, tagged_id
from sandbox.feed_entries import SYSTEM, key_updated, service_account_actor, user_actor
from sandbox.names import key_name
from sandbox.people import Person
from sandbox.places import Account, Place
from sandbox.rows import Activity, Actor, ApiKey, HolderKind
from sandbox.timeline import ERA, FOREVER, Span, day_number, later_that_day, moment

_EARLY_DAYS = 75
# The first two keys have the same name, and keep it side by side from the start.
TWINS = 2
_WISHES = ["switch"] * 11 + ["rename"] * 7 + ["move"] * 5 + ["archive"] * 4 + ["rename and move"] * 2
_FIELDS_TOLD = {"name": "name", "status": "status", "workspace_id": "workspace"}


class Surroundings(NamedTuple):
    """Whom keys belong to and where they live."""

    people: Sequence[Person]
    places: Sequence[Place]
    accounts: Sequence[Account]


class _Change(NamedTuple):
    """A wish to change a key; what is impossible by then does not happen."""

    at: datetime
    wish: str
    by_system: bool = False


class Key(NamedTuple):
    number: int
    era: int
    """In which it was created; what becomes of it may reach into the next ones."""
    spans: tuple[Span[ApiKey], ...]
    activities: tuple[Activity, ...]


def key(seed: str, number: int, around: Surroundings, era: int) -> Key:
    draws = Draws(seed, "key", number)
    created_at = moment(_day_created(number, draws, era), draws)
    row, creator = _created(seed, number, created_at, around, draws)
    rows, starts = [row], [created_at]
    told = [Activity(created_at, "platform_api_key_created", creator, {"api_key_id": row.id})]
    for at, wish, by_system in sorted([*_life(number, created_at, draws), *_fixed_ends(row, around)]):
        changed = _after(rows[-1], wish, at, around, draws)
        if changed != rows[-1]:
            told.append(key_updated(at, SYSTEM if by_system else creator, row.id, _updates(rows[-1], changed)))
            rows.append(changed)
            starts.append(at)
    spans = tuple(map(Span, starts, [*starts[1:], FOREVER], rows))
    return Key(number, era, spans, tuple(told))


def _day_created(number: int, draws: Draws, era: int) -> int:
    early = not era and (number < TWINS or draws.chance(45))
    return draws.between(5, _EARLY_DAYS) if early else draws.between(era * ERA or _EARLY_DAYS, (era + 1) * ERA - 1)


def _created(seed: str, number: int, at: datetime, around: Surroundings, draws: Draws) -> tuple[ApiKey, dict[str, Any]]:
    owner, creator = _creator(at, around, draws)
    of_organization = owner is not None and draws.chance(6)
    principal = owner if of_organization or draws.chance(35) else None
    place = None if of_organization or draws.chance(35) else draws.pick(_open_places(at, around)).id
    expires_at = at + timedelta(days=draws.pick((90, 180, 365, 730))) if draws.chance(18) else None
    hint = None if draws.chance(8) else f"sk-ant-api03-{draws.below(10**6):06d}...{draws.below(10**4):04d}AA"
    row = ApiKey(
        id=tagged_id("apikey", seed, number),
        name=key_name(number),
        status="active",
        created_at=at,
        created_by=owner,
        principal=principal,
        partial_key_hint=hint,
        expires_at=expires_at,
        workspace_id=place,
        of_organization=of_organization,
    )
    return row, creator


def _creator(at: datetime, around: Surroundings, draws: Draws) -> tuple[Actor | None, dict[str, Any]]:
    """Who made a key: mostly somebody who is a member at that time; sometimes it is not recorded."""
    alive = [
        one.id for one in around.accounts if one.created_at < at and not (one.archived_at and one.archived_at < at)
    ]
    if alive and draws.chance(12):
        account = draws.pick(alive)
        return Actor(account, HolderKind.SERVICE_ACCOUNT), service_account_actor(account)
    for _ in range(0 if draws.chance(7) else 12):
        somebody = draws.pick(around.people)
        if somebody.role_at(at):
            return Actor(somebody.id, HolderKind.USER), user_actor(somebody.id, somebody.email)
    return None, SYSTEM


def _life(number: int, created_at: datetime, draws: Draws) -> Iterator[_Change]:
    """What people do to a key: nothing to many, several things to some, now and then two on one day."""
    at = created_at
    for _ in range(0 if number < TWINS else 5):
        if draws.chance(42):
            return
        same_day = draws.chance(6)
        at = later_that_day(at, draws) if same_day else moment(day_number(at) + draws.between(1, 260), draws)
        yield _Change(at, draws.pick(_WISHES))


def _fixed_ends(row: ApiKey, around: Surroundings) -> Iterator[_Change]:
    """Its own expiry, and the end of the workspaces, which archives the keys in them."""
    if row.expires_at:
        yield _Change(row.expires_at, "expire", by_system=True)
    for place in around.places:
        if place.archived_at and place.archived_at > row.created_at:
            yield _Change(place.archived_at, f"close {place.id}", by_system=True)


def _after(row: ApiKey, wish: str, at: datetime, around: Surroundings, draws: Draws) -> ApiKey:
    """The key after a wish: unchanged where archived, expired, or not concerned."""
    if row.status in ("archived", "expired"):
        return row
    if wish == "expire":
        return replace(row, status="expired")
    if wish == "archive" or wish == f"close {row.workspace_id}":
        return replace(row, status="archived")
    if wish == "switch":
        return replace(row, status="inactive" if row.status == "active" else "active")
    if "rename" in wish:
        row = replace(row, name=f"{row.name.partition(' v')[0]} v{draws.between(2, 9)}")
    if "move" in wish and not row.of_organization:
        targets = [None, *(place.id for place in _open_places(at, around))]
        row = replace(row, workspace_id=draws.pick([target for target in targets if target != row.workspace_id]))
    return row


def _open_places(at: datetime, around: Surroundings) -> list[Place]:
    return [one for one in around.places if one.created_at < at and not (one.archived_at and one.archived_at <= at)]


def _updates(before: ApiKey, after: ApiKey) -> list[dict[str, Any]]:
    pairs = ((told, getattr(before, field), getattr(after, field)) for field, told in _FIELDS_TOLD.items())
    return [{"type": told, "previous_value": old, "current_value": new} for told, old, new in pairs if old != new]
