"""What the sandbox organization consists of: the rows its endpoints answer with, in the API's own field names.

No row refers back to another, so `gc=False` spares the collector hundreds of thousands of them in a large company.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec


class Plan(StrEnum):
    """The two kinds of organization; they know different roles."""

    CONSOLE = "console"
    ENTERPRISE = "enterprise"


class HolderKind(StrEnum):
    """Who a key belongs to, as `created_by.type` and the older `principal.type` say it."""

    USER = "user"
    SERVICE_ACCOUNT = "service_account"


class Actor(msgspec.Struct, frozen=True, gc=False):
    id: str
    type: HolderKind


class Member(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="user"):
    id: str
    email: str
    name: str
    role: str
    added_at: datetime


class ApiKey(msgspec.Struct, frozen=True, gc=False):
    """One key in the sandbox's own words; `lists.key_on_the_wire` gives it the older or the newer shape.

    `workspace_id` is null for the default workspace, and for keys of the whole organization (`of_organization`).
    """

    id: str
    name: str
    status: str
    created_at: datetime
    created_by: Actor | None
    principal: Actor | None
    partial_key_hint: str | None
    expires_at: datetime | None
    workspace_id: str | None
    of_organization: bool


class Invite(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="invite"):
    id: str
    email: str
    role: str
    status: str
    invited_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    rbac_group_ids: tuple[str, ...] = ()


class Workspace(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="workspace"):
    id: str
    name: str
    created_at: datetime
    archived_at: datetime | None
    display_color: str


class ServiceAccount(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="service_account"):
    id: str
    name: str
    organization_role: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    created_by_actor_id: str | None
    updated_by_actor_id: str | None
    archived_by_actor_id: str | None
    description: str | None = None


class Activity(msgspec.Struct, frozen=True, gc=False):
    """One entry of the Activity Feed; `details` are the fields that its type adds at the top level.

    Its own id and its organization's are given when it takes its place in the feed.
    """

    created_at: datetime
    type: str
    actor: dict[str, Any]
    details: dict[str, Any]
    id: str = ""
    organization_id: str = ""
    organization_uuid: str = ""


class Use(msgspec.Struct, frozen=True, gc=False):
    """One holder's use of one product on one day; `at` is its last moment in that day.

    `user_id` is set where a person is known, `api_key_id` where a key authenticated.
    """

    at: datetime
    product: str
    model: str
    user_id: str | None
    service_account_id: str | None
    api_key_id: str | None
    workspace_id: str | None
    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int


class State(NamedTuple):
    """Everything that the lists hold at one instant."""

    members: tuple[Member, ...]
    api_keys: tuple[ApiKey, ...]
    invites: tuple[Invite, ...]
    workspaces: tuple[Workspace, ...]
    service_accounts: tuple[ServiceAccount, ...]
