"""How far a usage report's data reached, however far it was asked: only so far is its silence a silence.

A report says it itself (`data_refreshed_at`), or it is judged by what it said: one that spoke before and is silent
about everybody since cannot be told from one that stands still (weeks of that are on record). Of the day of its last
word it may not have told all, so it has reached the day before; the next word proves that day too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from assets.days import yesterday
from assets.extraction.api import ANALYTICS_USAGE, ANALYTICS_USERS, CLAUDE_CODE, MESSAGES_USAGE, Endpoint
from assets.extraction.landing import Call
from assets.extraction.paging import Fetched
from assets.extraction.usage_calls import Span
from assets.extraction.whose import is_anothers, named_by, speaks_of_several

LAGS = {MESSAGES_USAGE.name: timedelta(minutes=5), CLAUDE_CODE.name: timedelta(hours=1)}
"""How late a report's data appear when nothing is amiss, by the Admin API's own word."""


@dataclass
class Heard:
    """What one question about a span of days was answered with."""

    span: Span
    pages: int = 0
    refreshed_at: datetime | None = None
    """The oldest that its pages say."""
    spoke_to: date | None = None
    """The last day with any record of ours."""
    bucket_to: date | None = None
    """The last day that has a place in the answer, be it empty."""

    def listen(self, endpoint: Endpoint, page: Fetched, ours: str) -> None:
        """Take one more page."""
        self.pages += 1
        if page.refreshed_at:
            self.refreshed_at = min(self.refreshed_at or page.refreshed_at, page.refreshed_at)
        if endpoint.name == ANALYTICS_USERS.name and page.items:
            self.spoke_to = self.span.last  # asked day by day
        moments = [item.starting_at for item in page.items] if endpoint.name == MESSAGES_USAGE.name else []
        self.bucket_to = _later(self.bucket_to, _day(max(moments, default=None)))
        self.spoke_to = _later(self.spoke_to, _day(max(_records(endpoint, page, ours), default=None)))

    @property
    def call(self) -> Call:
        return Call(first=self.span.first, last=self.span.last, pages=self.pages)


@dataclass
class Listener:
    """Judges how far an endpoint's answers reached; `spoke_to` is the last use that earlier nights heard from it."""

    endpoint: Endpoint
    ours: str
    observed_at: datetime
    spoke_to: date | None = None
    named_to: date | None = None
    """The latest day that there is, where a refusal names it."""
    heard: list[Heard] = field(default_factory=list)

    @property
    def refreshed_at(self) -> datetime | None:
        return min((one.refreshed_at for one in self.heard if one.refreshed_at), default=None)

    @property
    def reached(self) -> date | None:
        """The last day that the data reached; None where they reached none of the days asked for."""
        first, last = self.heard[0].span.first, self.heard[-1].span.last
        over = yesterday(self.observed_at - LAGS.get(self.endpoint.name, timedelta()))
        told = min(last, over, self._told(last) or date.min)
        return told if told >= first else None

    def _told(self, last: date) -> date | None:
        if self.refreshed_at:
            return _refreshed_to(self.heard)
        if self.named_to:
            return self.named_to
        spoke = _latest([self.spoke_to, *(one.spoke_to for one in self.heard)])
        if spoke:
            return spoke - timedelta(days=1)  # of the day of its last word it may not have told all
        # Never a word: taken at its word as far as it answered.
        return _latest([one.bucket_to for one in self.heard]) if self.endpoint.name == MESSAGES_USAGE.name else last


def _records(endpoint: Endpoint, page: Fetched, ours: str) -> list[datetime]:
    if endpoint.name == MESSAGES_USAGE.name:
        return [bucket.starting_at for bucket in page.items if bucket.results]
    if not speaks_of_several(endpoint):
        return []
    named = named_by(endpoint, page.items)
    others = {one for one in set(named) if is_anothers(endpoint, one, ours)}
    own = [item for item, one in zip(page.items, named, strict=True) if one not in others] if others else page.items
    return [item.starting_at if endpoint.name == ANALYTICS_USAGE.name else item.date for item in own]


def _refreshed_to(heard: Sequence[Heard]) -> date | None:
    """The last day up to which one call after another was refreshed whole."""
    reached = None
    for one in heard:
        to = yesterday(one.refreshed_at) if one.refreshed_at else one.spoke_to
        if to and to >= one.span.first:
            reached = min(to, one.span.last)
        if to is None or to < one.span.last:
            break
    return reached


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(UTC).date() if moment else None


def _later(one: date | None, other: date | None) -> date | None:
    return _latest([one, other])


def _latest(days: Sequence[date | None]) -> date | None:
    return max((day for day in days if day), default=None)
