"""How a sandbox server behaves: which generation it speaks, what it lacks, and what goes wrong on purpose.

What would change the company's truth itself is no option of a server: that stands in `quirks`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sandbox.organization import Organization


class Listing(StrEnum):
    """The endpoints by the end of their paths."""

    ME = "me"
    USERS = "users"
    INVITES = "invites"
    API_KEYS = "api_keys"
    WORKSPACES = "workspaces"
    SERVICE_ACCOUNTS = "service_accounts"
    ANALYTICS_USAGE = "analytics/usage"
    MESSAGES = "usage_report/messages"
    CLAUDE_CODE = "usage_report/claude_code"
    ANALYTICS_USERS = "analytics/users"
    ACTIVITIES = "activities"


REPORTS = frozenset({Listing.ANALYTICS_USAGE, Listing.MESSAGES, Listing.CLAUDE_CODE, Listing.ANALYTICS_USERS})


class UsageGeneration(StrEnum):
    """Which usage endpoints exist; the others answer 404."""

    ANALYTICS = "analytics"  # /analytics/usage
    REPORTS = "reports"  # /usage_report/messages and /usage_report/claude_code
    ENTERPRISE = "enterprise"  # /analytics/users


class KeyShape(StrEnum):
    """How API keys look: as the request's `anthropic-version` asks, or always one way."""

    BY_VERSION = "by_version"
    OLDER = "older"
    NEWER = "newer"
    BOTH = "both"  # the newer one, with the older one's deprecated `workspace_id` beside it


class Fault(StrEnum):
    """What goes wrong with one answer, or with the way that it takes."""

    # Errors in the API's form
    RATE_LIMIT = "429"
    API_ERROR = "500"
    OVERLOADED = "529"
    TIMEOUT = "408"
    CONFLICT = "409"
    TOO_EARLY = "425"

    # A page of a gateway in between
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"

    # Cut off or garbled
    RESET = "reset"
    TRUNCATED = "truncated"
    TRUNCATED_CHUNKS = "truncated chunks"
    TRUNCATED_WITHOUT_LENGTH = "truncated without length"
    GARBLED = "garbled"

    # Slow, or too much
    SILENT = "silent"
    SLOW_HEADERS = "slow headers"
    SLOW_BODY = "slow body"
    BOMB = "bomb"


USUAL_FAULTS = (Fault.RATE_LIMIT, Fault.API_ERROR, Fault.OVERLOADED, Fault.RESET, Fault.TRUNCATED)
QUICK_FAULTS = tuple(Fault)[: list(Fault).index(Fault.SILENT)]
"""Those that are over at once, so that the next try can follow."""


class RetryAfter(StrEnum):
    """What a 429 says of how long to wait; when the limit resets it always says, but for `NOTHING`."""

    SECONDS = "seconds"
    ABSENT = "absent"
    ZERO = "zero"
    DATE = "date"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class FaultPlan:
    """Every so many requests, counted from the start of the app, one of the faults in turn; 0: never."""

    every: int = 0
    faults: tuple[Fault, ...] = USUAL_FAULTS
    drip_seconds: float = 1.0
    """What is slow comes byte by byte, with so long between two; its thousands of bytes end in a good answer."""

    def fault_of(self, request: int) -> Fault | None:
        """The fault of the request with this number, the first being 1."""
        if not self.every or request % self.every:
            return None
        return self.faults[(request // self.every - 1) % len(self.faults)]


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """So many requests in any stretch of so many seconds, over all endpoints; refused ones do not count."""

    requests: int = 100
    window_seconds: float = 60.0
    retry_after: RetryAfter = RetryAfter.SECONDS
    told: bool = False
    """Whether every answer says how many requests are left, and when the limit is full again."""


@dataclass(frozen=True, kw_only=True)
class Stall:
    """From `since` to `until` these reports know nothing later than `since`; from `until` on they know everything."""

    since: datetime
    until: datetime
    reports: frozenset[Listing] = REPORTS
    days_missing: bool = False
    """Whether the messages report leaves out the buckets that it knows nothing of, instead of showing them empty."""


@dataclass(frozen=True, kw_only=True)
class Options:
    # The organization around this one
    sibling: Organization | None = None
    """A second organization of the same parent: the Activity Feed tells both."""
    parent_reports: bool = False
    """Whether keys are of the parent's level, so that analytics/usage reports the sibling's use as well."""

    # The Activity Feed
    feed: bool = True
    """Whether the Compliance API is switched on; off, the feed answers 404."""
    feed_since: datetime | None = None
    """When it was switched on; nothing from before is in the feed."""
    feed_days_behind: int = 0
    """How many days it is behind: nothing later is in it yet."""
    feed_outage: tuple[datetime, datetime] | None = None
    """From when to when it was switched off: what happened in between is never in the feed."""
    feed_ignores_organization_ids: bool = False
    """Whether the server is one that accepts `organization_ids[]` and passes over it."""
    feed_tells_uuid: bool = True
    """Whether entries name their organization's UUID; otherwise it is null, and only the tagged id is there."""
    empty_feed_page_every: int = 0
    """Before every so many pages of the feed, counted from the start of the app, comes an empty one; 0: never."""

    # The lists
    key_shape: KeyShape = KeyShape.BY_VERSION
    key_shape_from: tuple[datetime, KeyShape] | None = None
    """From an instant on, keys have this other shape."""
    keys_tell_last_use: bool = False
    """Whether keys carry `last_used_at`, which the public schema lacks."""
    workspaces_supported: bool = True
    """Whether this type of organization has workspaces; otherwise their list answers 400."""
    knows_include_default: bool = True
    """Whether the workspaces' list knows that parameter; an older server answers 400 to it."""

    # The usage reports
    usage: UsageGeneration = UsageGeneration.ANALYTICS
    stalls: tuple[Stall, ...] = ()
    unattributed_percent: int = 0
    """The share of use that analytics/usage attributes to nobody: its `actor` is null."""
    claude_code_missed_percent: int = 10
    """The share of people whom the Claude Code report never names, as they sign in by subscription."""
    tells_last_activity: bool = True
    """Whether analytics/users has `last_activity_date`; where its reporting is not enabled, the field is left out."""
    users_as_summaries: bool = False
    """Whether analytics/users calls its list `summaries` instead of `data`."""

    # Any call
    page_cap: int | None = None
    """At most so many rows in a page, whatever `limit` asks for."""
    empty_page_every: int = 0
    """In lists with page tokens, before every so many pages of a walk comes an empty one; 0: never."""
    refused: Mapping[Listing, int] = field(default_factory=dict)
    """Lists that are refused, each with the status of the refusal."""
    tells_time: bool = True
    """Whether answers have a `date`, by the sandbox's clock."""
    rate_limit: RateLimit | None = None
    latency_seconds: float = 0.0
    fault_plan: FaultPlan = field(default_factory=FaultPlan)

    def key_shape_at(self, now: datetime) -> KeyShape:
        changed_at, shape = self.key_shape_from or (now, self.key_shape)
        return shape if now >= changed_at else self.key_shape

    def known_until(self, report: Listing, now: datetime) -> datetime:
        """Up to when a report knows what was used, apart from its usual delay."""
        stalled = [one.since for one in self.stalls if one.since <= now < one.until and report in one.reports]
        return min(stalled, default=now)

    def leaves_days_out(self, now: datetime) -> bool:
        return any(
            one.days_missing and one.since <= now < one.until and Listing.MESSAGES in one.reports for one in self.stalls
        )


class Switches:
    """Options that can be set anew while their server runs, as between two nights: `switches.set(feed=False)`."""

    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)

    def set(self, **changes: Any) -> None:
        self.options = replace(self.options, **changes)
