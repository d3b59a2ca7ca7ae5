"""The Admin API's shapes: the one place that knows its paths, fields and limits.

Source: the public Admin API reference (August 2026) and the official SDK's types (November 2026). Where the two
differ, both shapes are live, and the structures below read both. Fields that are not named here stay in the
landing and are ignored; a field without a default is mandatory.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta, Struct

API_VERSION = "2023-06-01"
USER_AGENT = "license-history/0.1.0"
USAGE_BETA = "analytics-usage-cost-2026-08-24"
PAGE_LIMIT = 1000
ADMIN_KEY_PREFIX = "sk-ant-"

Id = Annotated[str, Meta(min_length=1)]
FOLDER_SAFE = re.compile(r"\A(?!(?i:con|prn|aux|nul|com\d|lpt\d)\Z)[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z")
"""One plain word that every file system takes as a folder's name, with room for what stands around it."""
Instant = Annotated[datetime, Meta(tz=True)]


class Shape(Struct, gc=False):
    """What the API answers with. Without cycles, so the collector need not walk through 100,000s of them."""


class Organization(Shape):
    """`/v1/organizations/me`. The id names folders, so it must be one plain word."""

    id: Id
    name: str | None = None


class User(Shape):
    id: Id
    role: Id
    email: str | None = None
    name: str | None = None
    added_at: Instant | None = None


class Reference(Shape):
    """Who made a key or whom it acts as: `{id, type}`, or the newer `{type, user_id | service_account_id}`."""

    type: str | None = None
    id: str | None = None
    user_id: str | None = None
    service_account_id: str | None = None


class Scope(Shape):
    """The newer form of a key's workspace: `{type: workspace, workspace_id}` or `{type: organization}`."""

    type: str | None = None
    workspace_id: str | None = None


class ApiKey(Shape):
    id: Id
    status: Id
    name: str | None = None
    created_at: Instant | None = None
    created_by: Reference | None = None
    principal: Reference | None = None
    workspace_id: str | None = None
    scope: Scope | None = None
    partial_key_hint: str | None = None
    expires_at: Instant | None = None
    last_used_at: Instant | None = None


class Invite(Shape):
    id: Id
    status: Id
    role: str | None = None
    email: str | None = None
    invited_at: Instant | None = None
    expires_at: Instant | None = None
    accepted_at: Instant | None = None


class Workspace(Shape):
    id: Id
    name: str | None = None
    created_at: Instant | None = None
    archived_at: Instant | None = None


class Actor(Shape):
    """Who used something: by id (newer endpoint), by e-mail or by a key's name (Claude Code report)."""

    type: str | None = None
    user_id: str | None = None
    email_address: str | None = None
    service_account_id: str | None = None
    api_key_id: str | None = None
    api_key_name: str | None = None


class UsageGroup(Shape):
    """`organization_id` is a child's, on the report of a parent organization; else null."""

    actor: Actor | None = None
    api_key_id: str | None = None
    organization_id: str | None = None


class UsageRow(Shape):
    """`analytics/usage`: one row per bucket and combination with usage."""

    starting_at: Instant
    group: UsageGroup


class MessagesResult(Shape):
    api_key_id: str | None = None
    account_id: str | None = None


class MessagesBucket(Shape):
    """`usage_report/messages`: one bucket per day, empty days included."""

    starting_at: Instant
    results: list[MessagesResult] | None = None


class ClaudeCodeRecord(Shape):
    """`usage_report/claude_code`: several records per actor and day."""

    date: Instant
    actor: Actor | None = None
    organization_id: str | None = None


class AnalyticsPerson(Shape):
    id: str | None = None
    email_address: str | None = None


class AnalyticsUser(Shape):
    """`analytics/users` (Enterprise): per person, the last day with activity in the range asked for.

    The day is omitted while last-activity reporting is off: the row then tells of activity in that range all the same.
    """

    user: AnalyticsPerson | None = None
    last_activity_date: date | None = None


class KeyUpdate(Shape):
    type: str | None = None
    previous_value: str | None = None
    current_value: str | None = None


class Activity(Shape):
    """One entry of the Activity Feed; which fields it has depends on its `type`.

    The feed is the parent organization's, linked siblings included, so each entry says whose it is.
    """

    id: Id
    created_at: Instant
    type: Id
    organization_id: str | None = None
    organization_uuid: str | None = None
    actor: Actor | None = None
    user_id: str | None = None
    user_email: str | None = None
    previous_role: str | None = None
    current_role: str | None = None
    deleted_user_id: str | None = None
    deleted_user_email: str | None = None
    invite_id: str | None = None
    api_key_id: str | None = None
    updates: list[KeyUpdate] | None = None


class Paging(StrEnum):
    """How a list's next page is named: the query parameter that takes it."""

    CURSOR = "after_id"
    TOKEN = "page"


@dataclass(frozen=True)
class Endpoint:
    """One list of the API: where it is, what its items are and how it is paged."""

    name: str
    path: str
    item: type[Struct]
    noun: str
    paging: Paging = Paging.CURSOR
    params: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    max_days: int = 0
    """How many days one request may span; 0 for lists without days."""
    wishes: dict[str, Any] = field(default_factory=dict)
    """Parameters in place of, or beside, those above that a server may refuse with 400: then it is asked without."""
    whose: str = ""
    """The parameter that names the organization whose items are wished for."""
    names: tuple[str, ...] = ("data",)
    """What the list of items is called in an answer, by whatever version."""

    def asked(self, organization_id: str, *, wishing: bool) -> dict[str, Any]:
        """The parameters of every question, with or without what a server may refuse."""
        if not wishing:
            return dict(self.params)
        return {**self.params, **self.wishes, **({self.whose: organization_id} if self.whose else {})}

    @property
    def has_wishes(self) -> bool:
        return bool(self.wishes or self.whose)


_V1 = "/v1/organizations"
ME = f"{_V1}/me"

USERS = Endpoint("users", f"{_V1}/users", User, "members", params={"limit": PAGE_LIMIT})
API_KEYS = Endpoint("api_keys", f"{_V1}/api_keys", ApiKey, "API keys", params={"limit": PAGE_LIMIT})
INVITES = Endpoint("invites", f"{_V1}/invites", Invite, "invites", params={"limit": PAGE_LIMIT})
WORKSPACES = Endpoint(
    "workspaces",
    f"{_V1}/workspaces",
    Workspace,
    "workspaces",
    # Keys outlive their workspace, and its name is wanted all the same.
    params={"limit": PAGE_LIMIT, "include_archived": "true"},
    wishes={"include_default": "true"},
)
WORKSPACES_LISTED = Endpoint(
    "workspaces_listed",
    WORKSPACES.path,
    Workspace,
    "workspaces but the default one",
    params=WORKSPACES.params,
)
"""The same without the default workspace: what it lacks is the default one, which nothing else tells."""
ROSTERS = (USERS, API_KEYS, INVITES, WORKSPACES)
ESSENTIAL = (USERS, API_KEYS)
HOLDERS = (*ESSENTIAL, INVITES)

ANALYTICS_USAGE = Endpoint(
    "analytics_usage",
    f"{_V1}/analytics/usage",
    UsageRow,
    "usage by actor and key",
    Paging.TOKEN,
    {
        "limit": PAGE_LIMIT,
        "time_bucket_width": "1d",
        "group_by[]": ["actor", "api_key_id"],
        "order_by": "time",
        "order": "asc",
    },
    {"anthropic-beta": USAGE_BETA},
    max_days=31,
    # Not the filter: an id that is no child organization's matches nothing there, by the API's own word.
    wishes={"group_by[]": ["actor", "api_key_id", "organization_id"]},
)
MESSAGES_USAGE = Endpoint(
    "messages_usage",
    f"{_V1}/usage_report/messages",
    MessagesBucket,
    "message usage",
    Paging.TOKEN,
    {"limit": 1, "bucket_width": "1d", "group_by[]": ["api_key_id", "account_id"]},
    max_days=31,
    wishes={"limit": 31},
)
CLAUDE_CODE = Endpoint(
    "claude_code",
    f"{_V1}/usage_report/claude_code",
    ClaudeCodeRecord,
    "Claude Code usage",
    Paging.TOKEN,
    {"limit": PAGE_LIMIT},
    max_days=1,
)
ANALYTICS_USERS = Endpoint(
    "analytics_users",
    f"{_V1}/analytics/users",
    AnalyticsUser,
    "Enterprise analytics",
    Paging.TOKEN,
    {"limit": PAGE_LIMIT},
    # It takes a year in one piece, but then tells of each person the last day alone, or of none at all: the days before
    # would look unused.
    max_days=1,
    names=("data", "summaries"),
)
OLDER_USAGE = (MESSAGES_USAGE, CLAUDE_CODE)
USAGE = (ANALYTICS_USAGE, *OLDER_USAGE, ANALYTICS_USERS)

ACTIVITY_TYPES = (
    "claude_user_role_updated",
    "org_user_deleted",
    "org_user_left",
    "scim_user_created",
    "scim_user_deleted",
    "platform_api_key_created",
    "platform_api_key_updated",
    "org_user_invite_accepted",
    "org_user_invite_deleted",
    "org_user_invite_rejected",
)
"""What changes a license; the feed tells hundreds of other things, in shapes of their own."""

ACTIVITIES = Endpoint(
    "activities",
    "/v1/compliance/activities",
    Activity,
    "activities",
    params={"limit": 5000, "activity_types[]": list(ACTIVITY_TYPES)},
    whose="organization_ids[]",
)

ENDPOINTS = {endpoint.name: endpoint for endpoint in (*ROSTERS, WORKSPACES_LISTED, *USAGE)}

ANALYTICS_FIRST_DAY = date(2026, 1, 1)
ANALYTICS_LOOK_BACK_DAYS = 365
