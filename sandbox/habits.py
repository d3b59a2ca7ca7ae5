"""Who uses what on which day: every person and key has a habit, a four-week pattern that starts and may stop."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sandbox.draws import Draws
from sandbox.keys import Key
from sandbox.people import Person
from sandbox.rows import ApiKey, HolderKind, Plan, Use
from sandbox.timeline import ERA, FIRST_DAY, midnight

_CYCLE = 28
_WEEKENDS = sum(1 << day for day in range(_CYCLE) if day % 7 >= 5)
_WEEKDAYS = ((1 << _CYCLE) - 1) ^ _WEEKENDS
_MIXER, _MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1

# Those of the first era who stop do so long before the stand-in's usual today (2026-11-24): quiet for over a hundred
# days. In later eras it is as long after their beginning.
_FIRST_STOP, _LAST_STOP = date(2025, 1, 15).toordinal(), date(2026, 7, 31).toordinal()
_NEVER = date.max.toordinal()
_MODELS = ("claude-opus-5-5", "claude-sonnet-5", "claude-haiku-5")


class Habit(NamedTuple):
    days: int
    """The days of the four weeks, from a Monday on, one bit each."""
    last: int
    """The ordinal of the last day of use."""
    products: tuple[str, ...]
    model: str
    noise: int

    def holds_on(self, ordinal: int) -> bool:
        return ordinal <= self.last and bool(self.days >> (ordinal - 1) % _CYCLE & 1)

    def lot(self, ordinal: int) -> int:
        """64 bits that only this habit has on this day."""
        mixed = (self.noise ^ ordinal * _MIXER) * _MIXER & _MASK
        return (mixed ^ mixed >> 29) * _MIXER & _MASK


def person_habit(seed: str, number: int, plan: Plan, era: int) -> Habit:
    draws = Draws(seed, "habit of person", number)
    fate = draws.below(100)
    days = _pattern(draws, never=fate < 13, rare=fate < 23, weekends=5)
    if plan is Plan.ENTERPRISE:
        products: tuple[str, ...] = ("chat", "claude_code") if draws.chance(40) else ("chat",)
    else:
        products = draws.pick(
            (("claude_code",), ("claude_code",), ("claude_code", "claude_console"), ("claude_console",))
        )
    return _habit(draws, days, fate >= 86, products, era)


def key_habit(seed: str, number: int, era: int) -> Habit:
    draws = Draws(seed, "habit of key", number)
    fate = draws.below(100)
    days = _pattern(draws, never=fate < 13, rare=fate < 23, weekends=60 if fate < 55 else 10)
    return _habit(draws, days, fate >= 84, ("claude_code",) if draws.chance(15) else ("messages_api",), era)


def uses_by(someone: Person, habit: Habit, ordinal: int) -> Iterator[Use]:
    """What one person used on a day, without a key."""
    if not habit.holds_on(ordinal):
        return
    lot = habit.lot(ordinal)
    for turn, product in enumerate(habit.products):
        at = _moment_of_use(ordinal, lot >> turn)
        if (turn == 0 or lot & 1) and someone.role_at(at):
            yield _use(at, product, habit.model, lot >> 16, someone.id, None, None, None)


def use_of_key(key: Key, habit: Habit, ordinal: int, default_workspace: str) -> Use | None:
    """What one key was used for on a day; only while it was active."""
    if not habit.holds_on(ordinal):
        return None
    lot = habit.lot(ordinal)
    at = _moment_of_use(ordinal, lot)
    row = _row_at(key, at)
    if row is None or row.status != "active":
        return None
    owner = row.principal
    user_id = owner.id if owner and owner.type is HolderKind.USER else None
    account_id = owner.id if owner and owner.type is HolderKind.SERVICE_ACCOUNT else None
    workspace_id = row.workspace_id or (None if row.of_organization else default_workspace)
    return _use(at, habit.products[0], habit.model, lot >> 16, user_id, account_id, row.id, workspace_id)


def last_use_of_key(key: Key, habit: Habit, until: datetime, default_workspace: str) -> datetime | None:
    """The latest moment before `until` at which a key was used, or none."""
    if not habit.days:
        return None
    first = key.spans[0].since.toordinal()
    for ordinal in range(min(until.toordinal(), habit.last), first - 1, -1):
        use = use_of_key(key, habit, ordinal, default_workspace)
        if use and use.at < until:
            return use.at
    return None


def _pattern(draws: Draws, *, never: bool, rare: bool, weekends: int) -> int:
    if never:
        return 0
    if rare:
        return 1 << draws.below(4) * 7 + draws.below(5)
    first, second, third = (draws.below(1 << _CYCLE) for _ in range(3))
    busy = draws.pick((first, first | second, first | second | third, first & second))
    return (busy & _WEEKDAYS) | (first & second & _WEEKENDS if draws.chance(weekends) else 0)


def _habit(draws: Draws, days: int, stops: bool, products: tuple[str, ...], era: int) -> Habit:
    last = draws.between(_FIRST_STOP, _LAST_STOP) + era * ERA if stops else _NEVER
    noise = draws.below(1 << 32) << 32 | draws.below(1 << 32)
    return Habit(days, last, products, draws.pick(_MODELS), noise)


def _moment_of_use(ordinal: int, lot: int) -> datetime:
    second = 6 * 3_600 + (lot & 0xFFFF_FFFF) % (17 * 3_600)
    return midnight(FIRST_DAY) + timedelta(
        days=ordinal - FIRST_DAY.toordinal(), seconds=second, microseconds=(lot >> 32) % 1_000_000
    )


def _row_at(key: Key, at: datetime) -> ApiKey | None:
    return next((row for since, until, row in key.spans if since <= at < until), None)


def _use(
    at: datetime,
    product: str,
    model: str,
    lot: int,
    user_id: str | None,
    account_id: str | None,
    key_id: str | None,
    workspace_id: str | None,
) -> Use:
    requests = 1 + lot % 40
    return Use(
        at,
        product,
        model,
        user_id,
        account_id,
        key_id,
        workspace_id,
        requests=requests,
        input_tokens=requests * (200 + lot % 997),
        output_tokens=requests * (80 + lot % 499),
        cache_read_tokens=lot % 3 * requests * 1_000,
    )
