"""An organization of any size as the API's pages, made once from a seed: bytes that only want sending."""

import json
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

PAGE = 1000
ORGANIZATION = {"id": "org_bench", "type": "organization", "name": "Benchmark"}
ROLES, ROLE_WEIGHTS = ("user", "claude_code_user", "developer", "billing", "admin"), (60, 25, 12, 2, 1)
GIVEN = ("Ada", "Björn", "Chidi", "Dana", "Emeka", "Fatima", "Goran", "Hana", "Ivo", "Jun", "Kemi", "Lena", "Mei")
FAMILY = ("Abe", "Brandt", "Costa", "Dlamini", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Jansen", "Kowalski")
ACTIVE_SHARE = 0.3
"""Of the members and of the keys, how many are seen in use on one day."""

Row = dict[str, Any]


class Pages:
    """Every list of one organization: a page is the JSON text of its items and the id that its cursor names."""

    def __init__(self, users: int, keys: int, usage_days: list[date]) -> None:
        draw = random.Random(20260601)
        workspaces = list(_workspaces(draw, 200))
        members = list(_users(draw, users))
        api_keys = list(_api_keys(draw, keys, members, workspaces))
        self.rosters = {
            "users": _pages(members),
            "api_keys": _pages(api_keys),
            "invites": _pages(_invites(draw, users // 200)),
            "workspaces": _pages(workspaces),
        }
        self.usage = {day: _pages(_usage(draw, day, members, api_keys)) for day in usage_days}


def _pages(rows: Iterator[Row] | list[Row]) -> list[tuple[bytes, str]]:
    listed = list(rows)
    parts = [listed[start : start + PAGE] for start in range(0, len(listed), PAGE)]
    return [
        (json.dumps(part, separators=(",", ":"), ensure_ascii=False).encode(), part[-1].get("id", "")) for part in parts
    ]


def _users(draw: random.Random, count: int) -> Iterator[Row]:
    for number in range(count):
        given, family = draw.choice(GIVEN), draw.choice(FAMILY)
        yield {
            "id": _id(draw, "user"),
            "type": "user",
            "email": f"{given}.{family}.{number}@example.com".lower(),
            "name": f"{given} {family}",
            "role": draw.choices(ROLES, ROLE_WEIGHTS)[0],
            "added_at": _instant(draw),
        }


def _api_keys(draw: random.Random, count: int, members: list[Row], workspaces: list[Row]) -> Iterator[Row]:
    for number in range(count):
        yield {
            "id": _id(draw, "apikey"),
            "type": "api_key",
            "name": f"service-{number}-{draw.choice(('prod', 'test', 'batch'))}",
            "status": draw.choices(("active", "inactive", "archived", "expired"), (70, 15, 10, 5))[0],
            "created_at": _instant(draw),
            "created_by": {"id": draw.choice(members)["id"], "type": "user"},
            "principal": None,
            "scope": {"type": "workspace", "workspace_id": draw.choice(workspaces)["id"]},
            "partial_key_hint": f"sk-ant-api03-{draw.getrandbits(16):04x}...{draw.getrandbits(16):04x}",
            "expires_at": None,
        }


def _invites(draw: random.Random, count: int) -> Iterator[Row]:
    for number in range(count):
        yield {
            "id": _id(draw, "invite"),
            "type": "invite",
            "email": f"newcomer.{number}@example.com",
            "role": "user",
            "status": draw.choice(("pending", "pending", "accepted", "expired")),
            "invited_at": _instant(draw),
            "expires_at": "2026-06-30T00:00:00Z",
        }


def _workspaces(draw: random.Random, count: int) -> Iterator[Row]:
    for number in range(count):
        yield {
            "id": _id(draw, "wrkspc"),
            "type": "workspace",
            "name": f"Team {number}",
            "display_color": "#6C5BB9",
            "created_at": _instant(draw),
            "archived_at": None,
        }


def _usage(draw: random.Random, day: date, members: list[Row], api_keys: list[Row]) -> Iterator[Row]:
    for member in draw.sample(members, int(len(members) * ACTIVE_SHARE)):
        actor = {"type": "user_actor", "user_id": member["id"], "email_address": member["email"]}
        yield _usage_row(draw, day, {**actor, "name": member["name"], "deleted": False}, None)
    for key in draw.sample(api_keys, int(len(api_keys) * ACTIVE_SHARE)):
        yield _usage_row(draw, day, {"type": "api_actor", "api_key_id": key["id"]}, key["id"])


def _usage_row(draw: random.Random, day: date, actor: Row, api_key_id: str | None) -> Row:
    read, written = draw.randrange(1_000_000), draw.randrange(100_000)
    return {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{day + timedelta(days=1)}T00:00:00Z",
        "group": {"api_key_id": api_key_id, "actor": actor},
        "usage": {"uncached_input_tokens": read, "output_tokens": written, "total_tokens": read + written},
    }


def _id(draw: random.Random, kind: str) -> str:
    return f"{kind}_01{draw.getrandbits(104):026x}"


def _instant(draw: random.Random) -> str:
    moment = datetime(2024, 1, 1) + timedelta(microseconds=draw.randrange(60_000_000_000_000))
    return f"{moment.isoformat(timespec='microseconds')}Z"
