"""Which header of an imported file feeds which of our columns: guessed from its name, or told by a mapping file."""

import re
import tomllib
from pathlib import Path

import msgspec
from msgspec import Struct, field

from assets.errors import WrongUse

TAKEN = {
    "holder_id": ("id", "user_id", "member_id", "api_key_id", "invite_id"),
    "holder_type": ("type",),
    "email": ("e_mail", "mail", "email_address", "e_mail_address", "user_email", "member_email"),
    "name": ("full_name", "display_name", "user_name", "member_name"),
    "role": ("organization_role", "org_role", "user_role", "member_role"),
    "license_type": ("license", "licence", "licence_type"),
    "status": ("state", "member_status"),
    "status_raw": (),
    "assigned_at": (
        *("added", "added_on", "added_at", "date_added", "joined", "joined_on", "joined_at", "date_joined"),
        *("join_date", "member_since", "created", "created_at", "created_on", "invited", "invited_at", "invited_on"),
    ),
    "last_used_at": ("last_used", "last_active", "last_active_at", "last_activity", "last_seen"),
    "last_used_precision": (),
    "owner_user_id": ("owner_id",),
    "owner_email": (),
    "owner_type": (),
    "owner_status": (),
    "workspace_id": (),
    "workspace_name": ("workspace",),
    "key_scope": (),
    "key_hint": ("partial_key_hint",),
    "expires_at": ("expires", "expires_on"),
    "snapshot_date": (),
    "organization_id": (),
}
"""Our columns that a file can feed, and under which other names a header is known to mean them."""

STATUSES = ("Active", "Disabled", "Pending")


class Mapping(Struct, frozen=True, kw_only=True):
    """What feeds what: `columns` by our name, the header; `values` the same for all rows; words for words."""

    columns: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


class MapFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator's mapping.toml says; an empty header means that our column is not to be taken."""

    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)


def read_map_file(path: Path) -> MapFile:
    """What the mapping file says.

    Raises:
        WrongUse: it cannot be read, or says what cannot be meant.
    """
    try:
        said = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), MapFile)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise WrongUse(
            f"{path.name} cannot be used: {error}. It may hold the tables [columns], [values], [roles] and [statuses], "
            'with lines such as role = "Seat".'
        ) from None
    for name in (*said.columns, *said.values):
        if name not in TAKEN:
            raise WrongUse(f"{path.name}: there is no column {name} to fill; there are {', '.join(TAKEN)}.")
    if twice := sorted(said.columns.keys() & said.values.keys()):
        raise WrongUse(f"{path.name}: {twice[0]} stands in [columns] and in [values]; only one of them can fill it.")
    for word, status in said.statuses.items():
        if status not in STATUSES:
            raise WrongUse(f"{path.name}: “{word}” cannot mean the status {status}; there are {', '.join(STATUSES)}.")
    return said


def map_columns(headers: list[str], said: MapFile, file: str) -> Mapping:
    """Find for each of our columns the header that feeds it: the one that the mapping file names, else a known one.

    Raises:
        WrongUse: a header is missing or two fit, or nothing tells who a row is about.
    """
    columns: dict[str, str] = {}
    for ours, others in TAKEN.items():
        if ours in said.values or said.columns.get(ours) == "":
            continue
        fitting = _told(said.columns[ours], headers, file) if ours in said.columns else _fitting(ours, others, headers)
        if len(fitting) > 1:
            raise WrongUse(
                f"{file}: {' and '.join(f'“{header}”' for header in fitting)} may both be {ours}. Say which one in a "
                f'mapping file: [columns] {ours} = "{fitting[0]}" (rename one of them where both are called the same).'
            )
        if fitting:
            columns[ours] = fitting[0]
    if not {"holder_id", "email"} & columns.keys():
        raise WrongUse(
            f"{file}: no column looks like an id or an e-mail address; there are {', '.join(filter(None, headers))}. "
            'Say which one it is in a mapping file: [columns] email = "…".'
        )
    ignored = [header for header in headers if header and header not in columns.values()]
    return Mapping(columns=columns, values=said.values, roles=said.roles, statuses=said.statuses, ignored=ignored)


def _fitting(ours: str, others: tuple[str, ...], headers: list[str]) -> list[str]:
    if ours == "holder_id" and ours in map(_plain, headers):
        others = ()  # our own snapshots have a member's invite_id beside it
    return [header for header in headers if _plain(header) in (ours, *others)]


def _told(wanted: str, headers: list[str], file: str) -> list[str]:
    """The header that was asked for, case and spacing apart; word for word where that leaves a choice."""
    found = [header for header in headers if _plain(header) == _plain(wanted)]
    if not found:
        raise WrongUse(f"{file} has no column “{wanted}”; there are {', '.join(filter(None, headers))}.")
    return [header for header in found if header == wanted] or found


def _plain(header: str) -> str:
    """A header without regard to case, spaces, underscores and the like."""
    return re.sub(r"[\W_]+", "_", header.casefold()).strip("_").removesuffix("_utc")
