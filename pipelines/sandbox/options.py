"""How a sandbox server behaves: which generation it speaks, what it lacks, and what goes wrong on purpose."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class UsageGeneration(StrEnum):
    """Which usage endpoints exist; the others answer 404."""

    ANALYTICS = "analytics"  # /analytics/usage
    REPORTS = "reports"  # /usage_report/messages and /usage_report/claude_code
    ENTERPRISE = "enterprise"  # /analytics/users


class KeyShape(StrEnum):
    """How API keys look: as the request's `anthropic-version` asks, or always the older or the newer way."""

    BY_VERSION = "by_version"
    OLDER = "older"
    NEWER = "newer"


class Fault(StrEnum):
    RATE_LIMIT = "429"
    API_ERROR = "500"
    OVERLOADED = "529"
    RESET = "reset"
    TRUNCATED = "truncated"


@dataclass(frozen=True, kw_only=True)
class FaultPlan:
    """Every so many requests, counted from the start of the app, one of the faults in turn; 0: never."""

    every: int = 0
    faults: tuple[Fault, ...] = tuple(Fault)

    def fault_of(self, request: int) -> Fault | None:
        """The fault of the request with this number, the first being 1."""
        if not self.every or request % self.every:
            return None
        return self.faults[(request // self.every - 1) % len(self.faults)]


@dataclass(frozen=True, kw_only=True)
class Options:
    usage: UsageGeneration = UsageGeneration.ANALYTICS
    key_shape: KeyShape = KeyShape.BY_VERSION
    keys_tell_last_use: bool = False
    """Whether keys carry `last_used_at`, which the public schema lacks."""
    feed: bool = True
    """Whether the Compliance API is switched on; off, the feed answers 404."""
    feed_since: datetime | None = None
    """When it was switched on; nothing from before is in the feed."""
    page_cap: int | None = None
    """At most so many rows in a page, whatever `limit` asks for."""
    latency_seconds: float = 0.0
    fault_plan: FaultPlan = field(default_factory=FaultPlan)
