"""What `make run` ends with: seats by kind, and as unused only what is proven."""

import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.cli.overview import show
from tests.finance.worlds import Finance, days
from tests.history.snapshots import Row, Snapshot, write_coverage, write_usage

FIRST, LAST = date(2026, 10, 30), date(2026, 10, 31)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two members since long ago, of whom a source that sees all watches; of keys one that sees but a part."""
    world = Finance(tmp_path_factory.mktemp("overview"))
    old: Row = {"assigned_at": datetime(2026, 1, 1, tzinfo=UTC)}
    key: Row = {"license_type": "API Key", "role": None, "name": "build", **old}
    invite: Row = {"email": "guest@x.org", "status": "Pending", **old}
    write_coverage(world.tree, "org", LAST, date(2026, 9, 1))
    write_coverage(world.tree, "org", FIRST, date(2026, 9, 1), "api_key", endpoint="claude_code", sees="some")
    write_usage(world.tree, "org", LAST, [{"holder_id": "user_1", "usage_date": date(2026, 10, 20)}])
    world.publish(
        *(
            Snapshot(
                "org",
                day,
                {
                    "user": {"user_1": old, "user_2": old} | ({"user_3": old} if day == LAST else {}),
                    "api_key": {"apikey_1": key},
                    "invite": {"invite_1": invite} if day == FIRST else {},
                },
            )
            for day in days(FIRST, LAST)
        )
    )
    text = io.StringIO()
    show(Console(file=text, width=120), world.tree, FIRST, LAST, Path("report.html"))
    return text.getvalue()


def test_people_keys_and_invitations_are_told_apart(shown: str):
    lines = [line.split() for line in shown.splitlines()]
    assert ["People", "User", "Active", "3", "+1"] in lines
    assert ["API", "keys", "API", "Key", "Active", "1", "="] in lines
    assert ["Invitations", "User", "Pending", "0", "-1"] in lines


def test_only_what_is_proven_is_called_unused(shown: str):
    lines = [line.split() for line in shown.splitlines()]
    (head,) = (number for number, line in enumerate(lines) if line[:3] == ["License", "type", "unused"])
    assert lines[head][2:] == ["unused", "watched", "for", "less", "used", "before", "that", "not", "seen", "unknown"]
    assert lines[head + 1 : head + 3] == [["API", "Key", "0", "0", "0", "1", "0"], ["User", "2", "0", "0", "0", "0"]]
