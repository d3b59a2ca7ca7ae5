"""Entries of the Activity Feed, as the sandbox's people, keys and workspaces write them.

Field names: the Activity Feed's reference. An entry's place in the feed and its id are given by `Organization`.
"""

from datetime import datetime
from typing import Any

from sandbox.draws import tagged_id
from sandbox.rows import Activity

SYSTEM: dict[str, Any] = {"type": "system_actor", "service": None}


def user_actor(user_id: str, email: str) -> dict[str, Any]:
    return {
        "type": "user_actor",
        "email_address": email,
        "user_id": user_id,
        "ip_address": "192.0.2.34",
        "user_agent": "Mozilla/5.0",
    }


def service_account_actor(service_account_id: str) -> dict[str, Any]:
    return {
        "type": "service_account_actor",
        "service_account_id": service_account_id,
        "ip_address": "192.0.2.35",
        "user_agent": "deploy/1.0",
    }


def directory_actor(*event: object) -> dict[str, Any]:
    """The identity provider, pushing a change through SCIM."""
    return {
        "type": "scim_directory_sync_actor",
        "workos_event_id": tagged_id("event", *event),
        "directory_id": "directory_01SANDBOX",
        "idp_connection_type": "OktaSCIMV2",
    }


def role_updated(
    at: datetime, actor: dict[str, Any], member: tuple[str, str], before: str | None, after: str | None
) -> Activity:
    """A role as it was and is; null before: the member joined, null after: the member is gone."""
    user_id, email = member
    details = {"user_id": user_id, "user_email": email, "previous_role": before, "current_role": after}
    return Activity(at, "claude_user_role_updated", actor, details)


def key_updated(at: datetime, actor: dict[str, Any], key_id: str, updates: list[dict[str, Any]]) -> Activity:
    return Activity(at, "platform_api_key_updated", actor, {"api_key_id": key_id, "updates": updates})
