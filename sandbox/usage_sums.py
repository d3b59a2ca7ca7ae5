"""Usage added up per time bucket and dimension: what the reports of both generations have in common."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sandbox.organization import Organization
from sandbox.rows import Use
from sandbox.timeline import midnight

WIDTHS = {"1d": timedelta(days=1), "1h": timedelta(hours=1), "1m": timedelta(minutes=1)}
CLAUDE_CODE, PLAYGROUND = "claude_code", "claude_console"


class Sums(NamedTuple):
    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens + self.cache_read_tokens

    def on_the_wire(self) -> dict[str, Any]:
        """The token counts that all reports give alike."""
        return {
            "uncached_input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cache_read_input_tokens": self.cache_read_tokens,
            "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
            "server_tool_use": {"web_search_requests": 0},
        }


def uses_between(organization: Organization, start: datetime, end: datetime) -> Iterator[Use]:
    """What was used from `start` up to, not including, `end`."""
    if start >= end:
        return
    last = (end - timedelta(microseconds=1)).date()
    for ordinal in range(start.toordinal(), last.toordinal() + 1):
        for use in organization.usage(date.fromordinal(ordinal)):
            if start <= use.at < end:
                yield use


def bucket_of(at: datetime, width: timedelta) -> datetime:
    """The start of the bucket that an instant lies in (UTC)."""
    day = midnight(at.date())
    return day + (at - day) // width * width


def summed(uses: Iterable[tuple[Sequence[str | None], Use]]) -> dict[tuple[str | None, ...], Sums]:
    """The sums of uses by their dimensions, in the order of first appearance."""
    sums: dict[tuple[str | None, ...], Sums] = {}
    for dimensions, use in uses:
        new = Sums(use.requests, use.input_tokens, use.output_tokens, use.cache_read_tokens)
        old = sums.get(key := tuple(dimensions))
        sums[key] = Sums(*map(sum, zip(old, new, strict=True))) if old else new
    return sums
