"""Patience, in minutes: how long one question may bring nothing, and when the whole night's asking ends.

A list that keeps coming is never given up for being long: a first night of thousands of pages gets through.
"""

import time
from dataclasses import dataclass, replace

LIST_MINUTES = 5.0
NIGHT_MINUTES = 240.0


@dataclass(frozen=True)
class Patience:
    """`night_end` is in seconds of `time.monotonic`."""

    list_seconds: float
    night_end: float

    @classmethod
    def of(cls, list_minutes: float = LIST_MINUTES, night_minutes: float = NIGHT_MINUTES) -> "Patience":
        """Patience for a night that starts now."""
        return cls(list_minutes * 60, time.monotonic() + night_minutes * 60)

    def ending_within(self, seconds: float) -> "Patience":
        """The same, for what must have ended so many seconds from now."""
        return replace(self, night_end=min(self.night_end, time.monotonic() + seconds))

    def question(self) -> float:
        """The moment at which patience with a question that is asked now ends."""
        return min(time.monotonic() + self.list_seconds, self.night_end)
