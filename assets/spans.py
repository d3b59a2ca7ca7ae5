"""Days, and how they are told as spans: `2026-01-01 to 2026-01-05, 2026-01-09 (6 days)`."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)(?: to (\d{4}-\d\d-\d\d))?")


def days_between(first: date, last: date) -> list[date]:
    """Every day from `first` to `last`, both included."""
    return [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]


def spans(days: Iterable[date]) -> list[tuple[date, date]]:
    """The first and last day of each unbroken stretch, in the order of days."""
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if found and found[-1][1] == day - timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def ranges(days: Iterable[date], to: str = " to ") -> list[str]:
    """Each unbroken stretch, by its first and last day."""
    return [str(first) if first == last else f"{first}{to}{last}" for first, last in spans(days)]


def told_spans(days: Iterable[date]) -> str:
    """The days in words; how many, where they are several."""
    days = set(days)
    told, many = ", ".join(ranges(days)), len(days)
    return told if many == 1 else f"{told} ({many:,} days)"


def is_in(day: date, told: str) -> bool:
    """Whether a day is one of those that are told so."""
    return any(found[1] <= day.isoformat() <= (found[2] or found[1]) for found in _SPAN.finditer(told))
