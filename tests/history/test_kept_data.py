"""Who already has data keeps it: a data directory of the version before is rebuilt without loss.

`tests/kept/version-0.1` was made by that version: an imported day, nights with a provisional snapshot that a closing
one replaced, an accepted invite, a night on which members and workspaces could not be listed, a renamed organization,
use under an e-mail address, a closed month. `expected.json` is what its own warehouse answered.
"""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.history.snapshots import World
from tests.warehouse.keys import broken

pytestmark = pytest.mark.slow

KEPT = Path(__file__).parents[1] / "kept" / "version-0.1"
NOW = datetime(2026, 6, 4, tzinfo=UTC)
USE = ("2026-05-29", "claude_code", "user")


@pytest.fixture
def kept(tmp_path: Path) -> World:
    root = tmp_path / "data"
    shutil.copytree(KEPT, root)
    world = World(root)
    world.publish(at=NOW)
    return world


def told(world: World, query: str) -> list[list[str | None]]:
    return [[None if cell is None else str(cell) for cell in row] for row in world.ask(query)]


def before(name: str) -> Any:
    return json.loads((KEPT / "expected.json").read_text())[name]


def test_every_row_of_every_day_is_there_again(kept: World) -> None:
    query = (
        "select snapshot_date, holder_type, holder_id, role, status, name, email, assigned_at from license_snapshots "
        "order by all"
    )
    assert told(kept, query) == before("rows")


def test_a_signed_month_keeps_its_figures(kept: World) -> None:
    query = (
        "select month, cost_centre, license_type, seats_month_end, billed_seats, cost, currency from finance_closed "
        "order by all"
    )
    assert told(kept, query) == before("closed")


def test_use_and_what_was_replaced_and_what_was_believed_are_there_again(kept: World) -> None:
    # told twice before: the night without members could not say whose it was
    assert before("usage") == [[*USE, "user_0001"], [*USE, None]]
    assert told(kept, "select usage_date, source, holder_type, holder_id from license_usage") == [[*USE, "user_0001"]]
    restated = (
        "select snapshot_date, provenance_before, provenance_after, was_final, seats_before, seats_after "
        "from restatements order by all"
    )
    assert told(kept, restated) == before("restatements")
    believed = (
        "select holder_type, holder_id, status, name from licenses_on(date '2026-05-31', "
        "known_at := timestamptz '2026-05-31 13:00:00+00') order by all"
    )
    assert told(kept, believed) == before("believed")


def test_what_was_told_as_a_fact_and_not_known_is_so_no_more(kept: World) -> None:
    """The new meanings hold for the old days too."""
    events = told(
        kept,
        "select event_date, holder_id, event from license_events where event_date >= date '2026-05-30' order by all",
    )
    assert events == [
        ["2026-05-31", "apikey_0003", "owner_email_changed"],
        ["2026-05-31", "apikey_0003", "owner_left"],
        ["2026-05-31", "invite_0001", "accepted"],
        ["2026-05-31", "invite_0003", "invited"],
        ["2026-05-31", "user_0001", "renamed"],
        ["2026-05-31", "user_0003", "left"],
        ["2026-05-31", "user_0004", "joined"],
    ]
    assert told(kept, "select organization_name, valid_from from organizations order by valid_from") == [
        ["Acme", "2026-05-20"],
        ["Acme Renamed", "2026-06-02"],
    ]
    assert told(kept, "select holder_id, invite_id from license_history where invite_id is not null") == [
        ["user_0004", "invite_0001"]
    ]
    states = told(
        kept, "select distinct last_used_state from license_assignments where holder_type = 'user' order by all"
    )
    assert states == [["not_seen"], ["used"]]


def test_the_next_night_goes_on_from_there(kept: World) -> None:
    query = "select count(*) from license_history"
    before_it = kept.ask(query)
    kept.publish(at=NOW)
    assert kept.ask(query) == before_it


def test_what_each_relation_says_of_its_key_and_of_what_it_refers_to_holds(kept: World) -> None:
    assert broken(kept.tree.warehouse) == []
