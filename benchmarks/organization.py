"""An organization of any size as the API's pages, from a seed: rosters are made once, and only want sending; a page of
usage, of any day, is joined of rows that stand ready, so that 90 days of it take no more memory than one.
"""

import json
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

PAGE = 1000
ORGANIZATION = {"id": "org_bench", "type": "organization", "name": "Benchmark"}
ROLES, ROLE_WEIGHTS = ("user", "claude_code_user", "developer", "billing", "admin"), (60, 25, 12, 2, 1)
GIVEN = ("Ada", "Björn", "Chidi", "Dana", "Emeka", "Fatima", "Goran", "Hana", "Ivo", "Jun", "Kemi", "Lena", "Mei")
FAMILY = ("Abe", "Brandt", "Costa", "Dlamini", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Jansen", "Kowalski")
ACTIVE_SHARE = 0.3
"""Of members and keys together, how many are seen in use on one day."""
_STRIDE = (5**0.5 - 1) / 2
"""By what share of all holders those in use move on from day to day: the golden ratio never comes back to a start."""
_DAY, _NEXT = b"0000-01-01", b"0000-01-02"
"""What stands in a row that is ready, where its day and the next belong."""

Row = dict[str, Any]


class Pages:
    """Every list of one organization: a page is the JSON text of its items and the id that its cursor names."""

    def __init__(self, users: int, keys: int) -> None:
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
        self.usage = Usage(draw, members, api_keys)


class Usage:
    """Who used what: each day another third of the holders, in an order that was drawn once."""

    def __init__(self, draw: random.Random, members: list[Row], api_keys: list[Row]) -> None:
        self._rows = [_text(row) for row in _usage(draw, members, api_keys)]
        draw.shuffle(self._rows)
        self._active = int(len(self._rows) * ACTIVE_SHARE)
        self.pages_a_day = max(1, ceil(self._active / PAGE))

    def page(self, day: date, number: int) -> bytes:
        """The JSON text of the items of one of a day's pages, counted from 0."""
        begin, count = number * PAGE, len(self._rows)
        start = (int(day.toordinal() * _STRIDE % 1 * count) + begin) % count
        end = start + min(PAGE, self._active - begin)
        rows = b",".join(self._rows[start:end] + self._rows[: max(0, end - count)])
        return b"[%b]" % rows.replace(_DAY, _iso(day)).replace(_NEXT, _iso(day + timedelta(days=1)))


def _pages(rows: Iterator[Row] | list[Row]) -> list[tuple[bytes, str]]:
    listed = list(rows)
    parts = [listed[start : start + PAGE] for start in range(0, len(listed), PAGE)]
    return [(_text(part), part[-1].get("id", "")) for part in parts]


def _text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


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


def _usage(draw: random.Random, members: list[Row], api_keys: list[Row]) -> Iterator[Row]:
    for member in members:
        actor = {"type": "user_actor", "user_id": member["id"], "email_address": member["email"]}
        yield _usage_row(draw, {**actor, "name": member["name"], "deleted": False}, None)
    for key in api_keys:
        yield _usage_row(draw, {"type": "api_actor", "api_key_id": key["id"]}, key["id"])


def _usage_row(draw: random.Random, actor: Row, api_key_id: str | None) -> Row:
    read, written = draw.randrange(1_000_000), draw.randrange(100_000)
    return {
        "starting_at": f"{_DAY.decode()}T00:00:00Z",
        "ending_at": f"{_NEXT.decode()}T00:00:00Z",
        "group": {"api_key_id": api_key_id, "actor": actor},
        "usage": {"uncached_input_tokens": read, "output_tokens": written, "total_tokens": read + written},
    }


def _iso(day: date) -> bytes:
    return day.isoformat().encode()


def _id(draw: random.Random, kind: str) -> str:
    return f"{kind}_01{draw.getrandbits(104):026x}"


def _instant(draw: random.Random) -> str:
    moment = datetime(2024, 1, 1) + timedelta(microseconds=draw.randrange(60_000_000_000_000))
    return f"{moment.isoformat(timespec='microseconds')}Z"
