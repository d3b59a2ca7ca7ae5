"""Days told as spans: `2026-01-01 to 2026-01-05, 2026-01-09 (6 days)`."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)(?: to (\d{4}-\d\d-\d\d))?")


def spans(days: Iterable[date]) -> list[tuple[date, date]]:
    """The first and last day of each unbroken stretch, in the order of days."""
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if found and found[-1][1] == day - timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def told_spans(days: Iterable[date]) -> str:
    """The days in words; how many, where they are several."""
    found = spans(days)
    told = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in found)
    many = sum((last - first).days + 1 for first, last in found)
    return told if many == 1 else f"{told} ({many:,} days)"


def is_in(day: date, told: str) -> bool:
    """Whether a day is one of those that are told so."""
    return any(found[1] <= day.isoformat() <= (found[2] or found[1]) for found in _SPAN.finditer(told))
