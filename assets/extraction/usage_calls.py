"""Which questions to ask of a usage endpoint so that a span of days is covered: the endpoints' limits in one place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from assets.days import LOOK_BACK_DAYS, usage_window
from assets.extraction.api import (
    ANALYTICS_FIRST_DAY,
    ANALYTICS_LOOK_BACK_DAYS,
    ANALYTICS_USAGE,
    ANALYTICS_USERS,
    CLAUDE_CODE,
    MESSAGES_USAGE,
    Endpoint,
)

FIRST_ANALYTICS_DAYS = 31
"""How far the first run looks back in Enterprise analytics: each day is a question of its own, with a page for each
thousand people, and 100 requests a minute are all that an organization has."""

MOST_RESULTS = 200_000
"""How many results of the message report one page may have, each of some 300 bytes: a page is held in memory whole."""


@dataclass(frozen=True)
class Span:
    """Days, both included."""

    first: date
    last: date

    def __bool__(self) -> bool:
        return self.first <= self.last


def span_to_ask(endpoint: Endpoint, day: date, covered_to: date | None) -> Span:
    """The days that the snapshot of `day` needs from a usage endpoint, as far back as it answers. May be empty."""
    first, last = usage_window(day, covered_to)
    first = max(first, first_day_answered(endpoint, day))
    if endpoint is ANALYTICS_USERS and covered_to is None:
        first = max(first, day - timedelta(days=FIRST_ANALYTICS_DAYS - 1))
    return Span(first, last)


def first_day_answered(endpoint: Endpoint, day: date) -> date:
    """How far back the night of `day` asks a usage endpoint at most."""
    if endpoint in (ANALYTICS_USAGE, ANALYTICS_USERS):
        return max(ANALYTICS_FIRST_DAY, day - timedelta(days=ANALYTICS_LOOK_BACK_DAYS - 2))
    # No bound is documented, but a report that stands still must not cost ever more; each day is a call of its own
    # in Claude Code's, whose silence proves nothing anyway.
    most = LOOK_BACK_DAYS if endpoint is CLAUDE_CODE else ANALYTICS_LOOK_BACK_DAYS
    return day - timedelta(days=most - 1)


def parts(endpoint: Endpoint, span: Span) -> Iterator[Span]:
    """The spans of the requests that together cover `span`, oldest first, each as long as the endpoint answers."""
    first = span.first
    while first <= span.last:
        last = min(first + timedelta(days=endpoint.max_days - 1), span.last)
        yield Span(first, last)
        first = last + timedelta(days=1)


def parameters(endpoint: Endpoint, part: Span) -> dict[str, Any]:
    """The query parameters that ask for one of `parts`."""
    after = part.last + timedelta(days=1)
    if endpoint is CLAUDE_CODE:
        return {"starting_at": part.first.isoformat()}
    if endpoint is ANALYTICS_USERS:
        return {"starting_date": part.first.isoformat(), "ending_date": after.isoformat()}
    return {"starting_at": f"{part.first}T00:00:00Z", "ending_at": f"{after}T00:00:00Z"}


def days_a_page(endpoint: Endpoint, holders: int) -> dict[str, int]:
    """How the message report is asked for as many days at once as a page can hold, each with all `holders`."""
    if endpoint is not MESSAGES_USAGE:
        return {}
    return {"limit": min(endpoint.max_days, max(1, MOST_RESULTS // max(holders, 1)))}


def latest_day_named(message: str, span: Span) -> Span | None:
    """What is left of `span` after «too recent; the latest day available is …», None where the message is another."""
    named = [date.fromisoformat(found) for found in re.findall(r"\b\d{4}-\d\d-\d\d\b", message)]
    latest = max((day for day in named if day < span.last), default=None)
    return Span(span.first, latest) if latest else None
