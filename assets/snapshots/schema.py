"""The columns of the Parquet records, declared and explained once (docs/design.md, The data).

Two further columns stand in each file's path: `snapshot_date` (or `observed_day`) and `organization_id`. The comments
go with the files, into the warehouse and into the data dictionary.
"""

from enum import StrEnum

import pyarrow as pa

from assets.columns import DAY, INSTANT, TEXT


def _column(name: str, kind: pa.DataType, comment: str, *, nullable: bool = True) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"comment": comment})


SNAPSHOT_DATE = _column("snapshot_date", DAY, "The UTC day whose closing state this is.", nullable=False)
ORGANIZATION_ID = _column(
    "organization_id", TEXT, "The organization, as /v1/organizations/me names it.", nullable=False
)

LICENSE_ASSIGNMENTS = pa.schema(
    [
        _column("organization_name", TEXT, "The organization's name on that day."),
        _column("holder_type", TEXT, "user, api_key or invite (a pending invite can hold a seat).", nullable=False),
        _column(
            "holder_id",
            TEXT,
            "user_…, apikey_… or invite_…: the identity; names and e-mails change; email:… where a file gave none.",
            nullable=False,
        ),
        _column(
            "license_type",
            TEXT,
            "What the role mapped to in license_types.csv when this was written (the warehouse maps again at each "
            "build), or API Key; Unmapped (role) where the table lacks the role.",
            nullable=False,
        ),
        _column("role", TEXT, "The role as the API said it; null for API keys."),
        _column(
            "status",
            TEXT,
            "Active, Disabled or Pending; Unmapped (word) for a word not known here.",
            nullable=False,
        ),
        _column("status_raw", TEXT, "The API's own word for the status; members have none."),
        _column("name", TEXT, "A person's or a key's name; invites have none."),
        _column("email", TEXT, "The e-mail address as given; null for API keys."),
        _column(
            "owner_user_id", TEXT, "For API keys: whom the key acts as, else who created it (user or service account)."
        ),
        _column("owner_email", TEXT, "The owner's e-mail, where the owner was a member on that day."),
        _column("owner_type", TEXT, "user or service_account."),
        _column("owner_status", TEXT, "For API keys: member, left, service_account or unknown."),
        _column("workspace_id", TEXT, "For API keys; null is the default workspace, where the API gives it no id."),
        _column(
            "workspace_name", TEXT, "The workspace's name, where the API lists it (it does not list the default one)."
        ),
        _column(
            "key_scope",
            TEXT,
            "For API keys: workspace or organization (a key of no workspace); null where the API's older shape leaves "
            "it open, as it does for the default workspace.",
        ),
        _column("key_hint", TEXT, "The redacted key, as the Console shows it."),
        _column("expires_at", INSTANT, "When the API key expires; null is never."),
        _column("assigned_at", INSTANT, "When the member was added, the key created, the invite sent."),
        _column(
            "invite_id",
            TEXT,
            "For members: the invite that they accepted, by its accepted_at, the Activity Feed or its address, in this "
            "order; null where they came otherwise or it cannot be told.",
        ),
        _column(
            "last_used_at", INSTANT, "The latest use known by then, up to the end of the day; see precision and state."
        ),
        _column(
            "last_used_precision", TEXT, "second: the API gave a time; day: from a daily report, shown as 00:00 UTC."
        ),
        _column(
            "last_used_source", TEXT, "The source of last_used_at: analytics, messages_usage, claude_code, imported, …"
        ),
        _column(
            "last_used_state",
            TEXT,
            "used; never_seen: a source that sees all of this holder's use has watched since usage_observed_since and "
            "saw nothing; not_seen: the sources we have saw nothing, and do not see everything; unknown: no source can "
            "see this holder.",
            nullable=False,
        ),
        _column(
            "usage_observed_since",
            DAY,
            "Since when a source that sees all use of this kind of holder has watched without a break up to "
            "usage_observed_until; null where none does.",
        ),
        _column("usage_observed_until", DAY, "The last day that such a source has reached; up to four days late."),
        _column("provenance", TEXT, "How the row is known: observed, reconstructed or imported.", nullable=False),
        _column(
            "observed_at",
            INSTANT,
            "When the state was observed; an imported one, when it was imported.",
            nullable=False,
        ),
        _column("run_id", TEXT, "The Dagster run that observed it.", nullable=False),
    ]
)

NOT_ATTRIBUTES = frozenset(
    {
        *("last_used_at", "last_used_precision", "last_used_source", "last_used_state"),
        *("usage_observed_since", "usage_observed_until", "invite_id"),
        *("provenance", "observed_at", "run_id"),
    }
)
"""Columns that tell of use or of how we know: a change in them is no change of the license."""

ATTRIBUTES_TOLD = frozenset(LICENSE_ASSIGNMENTS.names) - NOT_ATTRIBUTES - {"organization_name", "license_type"}
"""What the history keeps of a holder as it was told. The organization's name is the organization's, and the license
type follows the role by license_types.csv whenever a warehouse is built."""

USAGE = pa.schema(
    [
        _column("usage_date", DAY, "The UTC day of use.", nullable=False),
        _column("source", TEXT, "Which report said so.", nullable=False),
        _column("holder_type", TEXT, "user or api_key.", nullable=False),
        _column("holder_id", TEXT, "Who it was; null where the report's name or e-mail fits no one, or several."),
        _column("subject", TEXT, "The e-mail or key name that the report gave instead of an id."),
        _column(
            "matched_by", TEXT, "id, email or name; ambiguous or unmatched where holder_id is null.", nullable=False
        ),
        _column("used_at", INSTANT, "The instant of use, where the source gives one."),
    ]
)

COVERAGE = pa.schema(
    [
        _column("source", TEXT, "Which report.", nullable=False),
        _column("endpoint", TEXT, "The list of the API that it was read from.", nullable=False),
        _column("holder_type", TEXT, "The kind of holder that the report can see.", nullable=False),
        _column(
            "sees",
            TEXT,
            "all: the report's silence about such a holder on these days is evidence; some: it is not.",
        ),
        _column("covered_from", DAY, "The first day that the report has answered for.", nullable=False),
        _column("covered_to", DAY, "The last day that its data reached, however far was asked.", nullable=False),
    ]
)

LAST_USE = pa.schema(
    [
        _column("holder_type", TEXT, "user or api_key.", nullable=False),
        _column("holder_id", TEXT, "Who it was.", nullable=False),
        _column("source", TEXT, "Which report said so.", nullable=False),
        _column("usage_date", DAY, "The latest UTC day of use up to the day; or one after it.", nullable=False),
        _column("used_at", INSTANT, "The latest instant of use, where the source gives one."),
    ]
)

CONFLICTS = pa.schema(
    [
        _column("holder_type", TEXT, "user or api_key.", nullable=False),
        _column("holder_id", TEXT, "Whom the activity is about.", nullable=False),
        _column("attribute", TEXT, "role (of a member), or a key's name, status or workspace.", nullable=False),
        _column("happened_at", INSTANT, "When the activity took place."),
        _column("activity_id", TEXT, "The activity; null where one is missing."),
        _column("conflict", TEXT, "What contradicts what.", nullable=False),
    ]
)


class HolderType(StrEnum):
    USER = "user"
    API_KEY = "api_key"
    INVITE = "invite"


class Provenance(StrEnum):
    """How a snapshot is known, the strongest first."""

    OBSERVED = "observed"
    RECONSTRUCTED = "reconstructed"
    IMPORTED = "imported"


def comments(schema: pa.Schema) -> dict[str, str]:
    """Each column's comment."""
    return {field.name: field.metadata[b"comment"].decode() for field in schema}
