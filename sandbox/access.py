"""Which key may ask for what: the one table of the sandbox's keys."""

from enum import StrEnum
from typing import NamedTuple


class Area(StrEnum):
    """What a key can or cannot reach."""

    ME = "me"
    USERS = "users"
    INVITES = "invites"
    API_KEYS = "api_keys"
    WORKSPACES = "workspaces"
    SERVICE_ACCOUNTS = "service_accounts"
    USAGE = "usage"
    ENTERPRISE_ANALYTICS = "enterprise_analytics"
    FEED = "feed"


class Access(NamedTuple):
    areas: frozenset[Area]
    refusal: int
    """The status of everything else: 403, the key may not; 404, this kind of organization does not have it."""
    of_enterprise: bool = False


OAUTH = "sk-ant-oat"
"""How OAuth access tokens start, here all of the scope `org:admin`; they are no keys, and go as `Bearer` only."""

_ANY, _ADMIN, _SCOPED = "sk-ant-", "sk-ant-admin", "sk-ant-api01-"
# Only an OAuth token reads service accounts (SDK: `service_accounts.list`).
_ADMIN_AREAS = {*Area} - {Area.SERVICE_ACCOUNTS}
_KEY_AREAS = {Area.ME, Area.API_KEYS, Area.WORKSPACES, Area.USAGE}
_ENTERPRISE_AREAS = {Area.ME, Area.USERS, Area.INVITES, Area.ENTERPRISE_ANALYTICS}

# How a key starts, what it contains, and what it may; the first line that fits holds.
_TABLE = (
    (_ANY, "-forbidden", Access(frozenset(), 403)),
    (_ADMIN, "-members", Access(frozenset({Area.ME, Area.USERS, Area.INVITES}), 403)),
    (_ADMIN, "-keys", Access(frozenset(_KEY_AREAS), 403)),
    (_ADMIN, "-nofeed", Access(frozenset(_ADMIN_AREAS - {Area.FEED}), 403)),
    (_ADMIN, "", Access(frozenset(_ADMIN_AREAS), 403)),
    (OAUTH, "", Access(frozenset(Area), 403)),
    (_SCOPED, "-enterprise", Access(frozenset(_ENTERPRISE_AREAS), 404, of_enterprise=True)),
)


def access_of(key: str) -> Access | None:
    """What a key may, or none if nobody knows it."""
    fitting = (access for start, part, access in _TABLE if key.startswith(start) and part in key)
    return next(fitting, None)
