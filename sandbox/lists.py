"""The lists of users, API keys, invites, workspaces and service accounts, in their older and newer shapes."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import msgspec

from sandbox.calls import ApiError, Call, Query, bad_request, page_token, token_page
from sandbox.options import KeyShape
from sandbox.rows import Actor, ApiKey, HolderKind, Invite, Member, Workspace
from sandbox.timeline import Identified, Roster

Row = TypeVar("Row", bound=Identified)
_CURSORS = ("limit", "after_id", "before_id")
_KEY_STATUSES = ("active", "inactive", "archived", "expired")
_INVITE_STATUSES = ("pending", "accepted", "expired", "deleted")
_ROLES = (
    *("admin", "billing", "claude_code_user", "developer", "user"),
    *("managed", "membership_admin", "owner", "primary_owner"),
)


def me(call: Call) -> dict[str, Any]:
    call.query.allow_only()
    return {"id": call.organization.id, "type": "organization", "name": call.organization.name_at(call.now)}


def users(call: Call) -> dict[str, Any]:
    query = call.query
    query.allow_only(*_CURSORS, "email", "roles", "roles[]")
    email, roles = (query.text("email") or "").strip().lower(), _roles(query)

    def wanted(row: Member) -> bool:
        return (not email or row.email.lower() == email) and (not roles or row.role in roles)

    return _id_page(call, call.organization.until(call.now).members.roster(call.now), wanted, lambda row: row)


def api_keys(call: Call) -> dict[str, Any]:
    query = call.query
    query.allow_only(*_CURSORS, "status", "workspace_id", "created_by_user_id")
    status, creator = query.word("status", _KEY_STATUSES), query.text("created_by_user_id")
    workspace, default = query.text("workspace_id"), call.organization.default_workspace.id

    def wanted(row: ApiKey) -> bool:
        return (
            (status is None or row.status == status)
            and (workspace is None or _workspace_of(row, default) == workspace)
            and (creator is None or (row.created_by is not None and row.created_by.id == creator))
        )

    return _id_page(
        call, call.organization.until(call.now).keys.roster(call.now), wanted, lambda row: key_on_the_wire(call, row)
    )


def invites(call: Call) -> dict[str, Any]:
    """Invites; a deleted one is still listed by the older version, the newer one leaves it out."""
    query = call.query
    query.allow_only(*_CURSORS, "email", "roles", "roles[]", "statuses", "statuses[]", "status")
    email, roles = (query.text("email") or "").strip().lower(), _roles(query)
    statuses = [text for name in ("statuses", "statuses[]", "status") for text in query.words(name, _INVITE_STATUSES)]
    statuses = statuses or [status for status in _INVITE_STATUSES if not (call.newer and status == "deleted")]

    def wanted(row: Invite) -> bool:
        fits = (not email or row.email.lower() == email) and (not roles or row.role in roles)
        return fits and row.status in statuses

    hidden = () if call.newer else ("accepted_at", "rbac_group_ids")
    roster = call.organization.until(call.now).invites.roster(call.now)
    return _id_page(call, roster, wanted, lambda row: _without(row, hidden))


def workspaces(call: Call) -> dict[str, Any]:
    query = call.query
    if not call.options.workspaces_supported:
        message = "This endpoint does not support this type of organization."
        raise ApiError(400, message, code="organization_type_not_supported")
    newer_too = ("include_default",) if call.options.knows_include_default else ()
    query.allow_only(*_CURSORS, "include_archived", *newer_too)
    archived_too = query.flag("include_archived")
    rows = call.organization.workspaces(call.now)
    if query.flag("include_default"):
        rows = (call.organization.default_workspace.spans[0].row, *rows)
    roster = Roster(rows, {row.id: position for position, row in enumerate(rows)})
    return _id_page(
        call,
        roster,
        lambda row: archived_too or row.archived_at is None,
        lambda row: _workspace_on_the_wire(row, newer=call.newer),
    )


def service_accounts(call: Call) -> dict[str, Any]:
    """Newest first, and with page tokens: the one list here without id cursors (SDK: `SyncPageCursor`)."""
    query = call.query
    query.allow_only("include_archived", "limit", "page")
    archived_too = query.flag("include_archived")
    limit = query.whole("limit", default=20, most=100)
    token = page_token(query, call.now)
    rows = [row for row in call.organization.service_accounts(token.as_of) if archived_too or row.archived_at is None]
    data, next_page = token_page(call, rows, token, call.rows_per_page(limit))
    return {"data": data, "next_page": next_page}


def key_on_the_wire(call: Call, row: ApiKey) -> dict[str, Any]:
    """A key in the shape that the call gets: a workspace id that may be null, a scope, or both."""
    shape = call.options.key_shape_at(call.now)
    if shape is KeyShape.BY_VERSION:
        shape = KeyShape.NEWER if call.newer else KeyShape.OLDER
    body: dict[str, Any] = {
        "id": row.id,
        "type": "api_key",
        "name": row.name,
        "status": row.status,
        "created_at": row.created_at,
        "created_by": row.created_by,
        "partial_key_hint": row.partial_key_hint,
        "expires_at": row.expires_at,
    }
    if shape is not KeyShape.NEWER:
        body["workspace_id"] = row.workspace_id
    if shape is not KeyShape.OLDER:
        body["scope"] = _scope(row, call.organization.default_workspace.id)
    body["principal"] = row.principal if shape is KeyShape.OLDER else _newer_principal(row.principal)
    if call.options.keys_tell_last_use:
        body["last_used_at"] = call.organization.last_use_of_key(row.id, call.now)
    return body


def _id_page(
    call: Call, roster: Roster[Row], wanted: Callable[[Row], bool], on_the_wire: Callable[[Row], Any]
) -> dict[str, Any]:
    limit = call.rows_per_page(call.query.whole("limit", default=20, most=1000))
    rows, backwards = _from_cursor(call.query, roster)
    page = list(islice(filter(wanted, rows), limit + 1))
    has_more = len(page) > limit
    page = page[:limit][::-1] if backwards else page[:limit]
    return {
        "data": [on_the_wire(row) for row in page],
        "has_more": has_more,
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
    }


def _from_cursor(query: Query, roster: Roster[Row]) -> tuple[Iterable[Row], bool]:
    """The rows from the cursor on, in the direction of the walk, and whether that is backwards."""
    after, before = query.text("after_id"), query.text("before_id")
    if after is not None and before is not None:
        raise bad_request("after_id, before_id: Only one of them may be given")
    if after is not None:
        return islice(roster.rows, _position(roster, "after_id", after) + 1, None), False
    if before is not None:
        return reversed(roster.rows[: _position(roster, "before_id", before)]), True
    return roster.rows, False


def _position(roster: Roster[Row], name: str, row_id: str) -> int:
    if row_id not in roster.positions:
        raise ApiError(404, f"{name}: {row_id} was not found")
    return roster.positions[row_id]


def _roles(query: Query) -> list[str]:
    return [*query.words("roles", _ROLES), *query.words("roles[]", _ROLES)]


def _workspace_of(row: ApiKey, default: str) -> str | None:
    return None if row.of_organization else row.workspace_id or default


def _scope(row: ApiKey, default: str) -> dict[str, str]:
    workspace_id = _workspace_of(row, default)
    return {"type": "workspace", "workspace_id": workspace_id} if workspace_id else {"type": "organization"}


def _newer_principal(principal: Actor | None) -> dict[str, str] | None:
    if principal is None:
        return None
    id_name = "user_id" if principal.type is HolderKind.USER else "service_account_id"
    return {"type": f"{principal.type}_actor", id_name: principal.id}


def _workspace_on_the_wire(row: Workspace, *, newer: bool) -> dict[str, Any]:
    body: dict[str, Any] = _without(row)
    if newer:
        body |= {
            "compartment_id": row.id.replace("wrkspc", "cmpt"),
            "data_residency": {
                "allowed_inference_geos": "unrestricted",
                "default_inference_geo": "global",
                "workspace_geo": "us",
            },
            "external_key_id": None,
            "tags": {},
            "user_profile_id": None,
        }
    return body


def _without(row: msgspec.Struct, fields: Iterable[str] = ()) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(row, builtin_types=(datetime,))
    for name in fields:
        del body[name]
    return body
