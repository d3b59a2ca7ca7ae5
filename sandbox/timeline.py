"""The sandbox's calendar, and rows that hold from one instant to another."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Generic, NamedTuple, Protocol, TypeVar

from sandbox.draws import Draws

FIRST_DAY = date(2024, 6, 1)
ERA = 1_309
"""How many days are made up at a time; the first era ends with 2027."""
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)

_START = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)


class Identified(Protocol):
    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Identified)


def midnight(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def moment(day: int, draws: Draws) -> datetime:
    """An instant in the day so many days after the first one.

    Some fall between 00:00 and 02:00 UTC, after a day has closed and before the nightly run has looked at it.
    """
    first_hour, hours = (0, 2) if draws.chance(4) else (6, 16)
    seconds = first_hour * 3_600 + draws.below(hours * 3_600)
    return _START + timedelta(days=day, seconds=seconds, microseconds=draws.below(1_000_000))


def later_that_day(instant: datetime, draws: Draws) -> datetime:
    """Another instant of the same UTC day, at least a second after this one and a second before midnight."""
    left = midnight(instant.date()) + timedelta(days=1) - instant
    return instant + timedelta(seconds=1, microseconds=draws.below(max(1, int(left.total_seconds()) - 2)) * 1_000_000)


def day_number(instant: datetime) -> int:
    """How many days after the first one an instant lies."""
    return (instant - _START).days


def era_of(instant: datetime) -> int:
    """The era that an instant lies in; what lies before the first day counts to the first."""
    return max(0, day_number(instant) // ERA)


def begin_of(era: int) -> datetime:
    return _START + timedelta(days=era * ERA)


class Span(NamedTuple, Generic[Row]):
    """A row that a list shows from `since` (inclusive) to `until` (exclusive)."""

    since: datetime
    until: datetime
    row: Row


class Roster(NamedTuple, Generic[Row]):
    """A list as it stands: its rows, and where each id stands in it."""

    rows: tuple[Row, ...]
    positions: dict[str, int]


class Timeline(Generic[Row]):
    """Spans of rows, asked for the ones that hold at an instant, in the spans' order."""

    def __init__(self, spans: Iterable[Span[Row]]) -> None:
        self.spans = tuple(span for span in spans if span.since < span.until)
        self._changes = sorted({instant for span in self.spans for instant in span[:2]})
        # An answer changes only at a change, so any two instants between two changes share it.
        self._rosters = lru_cache(maxsize=6)(self._roster_of)

    def at(self, instant: datetime) -> tuple[Row, ...]:
        return self.roster(instant).rows

    def last_known(self, row_id: str, instant: datetime) -> Row | None:
        """The row of this id at the instant; of one that is gone, as it was last seen."""
        known = [span.row for span in self._spans_by_id.get(row_id, ()) if span.since <= instant]
        return known[-1] if known else None

    def roster(self, instant: datetime) -> Roster[Row]:
        return self._rosters(bisect_right(self._changes, instant))

    @cached_property
    def _spans_by_id(self) -> dict[str, list[Span[Row]]]:
        spans: dict[str, list[Span[Row]]] = {}
        for span in self.spans:
            spans.setdefault(span.row.id, []).append(span)
        return spans

    def _roster_of(self, changes_before: int) -> Roster[Row]:
        if not changes_before:
            return Roster((), {})
        instant = self._changes[changes_before - 1]
        rows = tuple(row for since, until, row in self.spans if since <= instant < until)
        return Roster(rows, {row.id: position for position, row in enumerate(rows)})
