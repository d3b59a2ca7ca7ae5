"""Rolling back by single entries of the feed: what they tell, whose they are, and what they leave open."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from assets.extraction.client import Client
from assets.extraction.feed import fetch_feed
from assets.extraction.organizations import Access, KeyHolder, who_is
from assets.layout import FACTS_KEY, snapshot_file
from assets.snapshots.ending import Loading
from assets.snapshots.reconstructed.rollback import rolling_back
from assets.snapshots.snapshot import SnapshotFacts, read_facts
from tests.scripted import (
    DAY,
    KEY,
    NEXT_NIGHT,
    Nights,
    Row,
    ScriptedApi,
    activity,
    api_key,
    invite,
    user,
    workspace,
)

Start = Callable[..., Nights]
LATER = datetime(2026, 6, 5, 2, tzinfo=UTC)


def rolled_back(made: Nights, day: date) -> tuple[dict[str, Row], SnapshotFacts]:
    """The day as the feed tells it, rolled back from the snapshot of `DAY`."""
    staged = made.data.staging("run_2")
    with Client("https://api.test", KEY, transport=httpx.MockTransport(made.api)) as client:
        access = Access(who_is(client), "the organization", (KeyHolder("KEY", client),))
        feed = fetch_feed(access, day, NEXT_NIGHT, data=made.data, observed_at=LATER, run_id="run_2")
    with rolling_back(made.facts(), feed, made.data, staged) as rollback:
        list(rollback.stage_days([day], Loading(LATER, "run_2")))
    file = snapshot_file(staged, day, "org_1")
    facts = read_facts(file)
    assert facts
    return {row["holder_id"]: row for row in pq.ParquetFile(file).read().to_pylist()}, facts


def role_change(number: int, at: str, user_number: int, before: str | None, after: str | None, **fields: Any) -> Row:
    told = {"user_id": f"user_{user_number:04}", "previous_role": before, "current_role": after}
    return activity(number, at, "claude_user_role_updated", **told | fields)


def moved(number: int, at: str, key: int, before: str | None, after: str | None) -> Row:
    updates = [{"type": "workspace", "previous_value": before, "current_value": after}]
    return activity(number, at, "platform_api_key_updated", api_key_id=f"apikey_{key:04}", updates=updates)


def test_what_a_sibling_did_changes_nothing_on_the_way_back(nights: Start):
    """People can be members of several organizations under one parent, with one id."""
    feed = [
        role_change(3, "2026-05-30T09:00:00Z", 1, "admin", "user", organization="org_2"),
        role_change(2, "2026-05-30T08:00:00Z", 2, "billing", "user"),
        role_change(1, "2026-05-29T08:00:00Z", 3, "user", None, organization="org_2"),
    ]
    made = nights(ScriptedApi(users=[user(1), user(2)], activities=feed))
    made.night()
    rows, facts = rolled_back(made, date(2026, 5, 28))
    assert {id: row["role"] for id, row in rows.items()} == {"user_0001": "user", "user_0002": "billing"}
    assert facts.conflicts == 0


@pytest.mark.parametrize(
    ("status", "day", "there"),
    [
        ("pending", "2026-05-27", True),
        ("pending", "2026-05-28", False),
        ("expired", "2026-05-27", True),
        ("expired", "2026-05-28", False),
    ],
)
def test_an_invite_past_its_end_at_the_close_of_a_day_holds_nothing(nights: Start, status: str, day: str, there: bool):
    guest = invite(1, status=status, expires_at="2026-05-28T12:00:00Z")
    made = nights(ScriptedApi(users=[user(1)], invites=[guest], activities=[]))
    made.night()
    assert "invite_0001" not in made.rows()
    rows, facts = rolled_back(made, date.fromisoformat(day))
    assert (("invite_0001" in rows), facts.invites) == (there, int(there))


def test_an_invite_was_open_until_it_was_accepted(nights: Start):
    guest = invite(1, status="accepted", accepted_at="2026-05-28T12:00:00Z")
    made = nights(ScriptedApi(users=[user(1)], invites=[guest], activities=[]))
    made.night()
    assert "invite_0001" in rolled_back(made, date(2026, 5, 27))[0]
    assert "invite_0001" not in rolled_back(made, date(2026, 5, 28))[0]


def test_a_keys_scope_is_carried_back_and_a_workspace_that_the_feed_names_is_one(nights: Start):
    keys = [
        api_key(1, scope={"type": "organization"}),
        api_key(2, scope={"type": "workspace", "workspace_id": "wrkspc_1"}),
        api_key(3, scope={"type": "workspace", "workspace_id": "wrkspc_2"}),
        api_key(4, scope={"type": "organization"}),
    ]
    feed = [
        moved(2, "2026-05-30T09:00:00Z", 4, "wrkspc_2", None),
        moved(1, "2026-05-30T08:00:00Z", 3, "wrkspc_1", "wrkspc_2"),
    ]
    made = nights(ScriptedApi(api_keys=keys, workspaces=[workspace(1), workspace(2)], activities=feed))
    made.night()
    rows, _ = rolled_back(made, date(2026, 5, 28))
    assert {id: (row["key_scope"], row["workspace_id"]) for id, row in rows.items()} == {
        "apikey_0001": ("organization", None),
        "apikey_0002": ("workspace", "wrkspc_1"),
        "apikey_0003": ("workspace", "wrkspc_1"),
        "apikey_0004": ("workspace", "wrkspc_2"),
    }


def test_the_default_workspace_that_the_feed_calls_null_has_its_id(nights: Start):
    in_default = {"scope": {"type": "workspace", "workspace_id": "wrkspc_d"}}
    keys = [api_key(1, **in_default), api_key(2, scope={"type": "workspace", "workspace_id": "wrkspc_1"})]
    feed = [moved(1, "2026-05-30T08:00:00Z", 2, None, "wrkspc_1")]
    made = nights(ScriptedApi(api_keys=keys, workspaces=[workspace(1)], activities=feed))
    made.night()
    assert made.facts().default_workspace == "wrkspc_d"
    rows, facts = rolled_back(made, date(2026, 5, 28))
    assert (rows["apikey_0002"]["workspace_id"], rows["apikey_0002"]["key_scope"]) == ("wrkspc_d", "workspace")
    assert (facts.default_workspace, facts.workspaces_known) == ("wrkspc_d", True)


def test_where_the_default_workspace_has_no_id_its_place_is_left_open(nights: Start):
    feed = [moved(1, "2026-05-30T08:00:00Z", 1, None, "wrkspc_1")]
    key = api_key(1, workspace_id="wrkspc_1")
    made = nights(ScriptedApi(api_keys=[key], workspaces=[workspace(1)], activities=feed))
    made.night()
    row = rolled_back(made, date(2026, 5, 28))[0]["apikey_0001"]
    assert (row["workspace_id"], row["key_scope"]) == (None, None)


def test_the_whole_feed_tells_by_which_invite_a_member_came(nights: Start):
    """Tonight's observation heard only the last day of it."""
    actor = {"type": "user_actor", "user_id": "user_0001"}
    came = activity(1, "2026-05-10T08:00:00Z", "org_user_invite_accepted", invite_id="invite_0001", actor=actor)
    guest = invite(1, status="accepted", email="another@acme.example")
    made = nights(ScriptedApi(users=[user(1, added_at="2026-05-10T08:00:03Z")], invites=[guest], activities=[came]))
    assert made.night()["user_0001"]["invite_id"] is None
    assert rolled_back(made, date(2026, 5, 20))[0]["user_0001"]["invite_id"] == "invite_0001"


def test_an_invite_that_was_accepted_for_an_earlier_membership_did_not_bring_this_one(nights: Start):
    actor = {"type": "user_actor", "user_id": "user_0001"}
    came = activity(1, "2026-05-01T08:00:00Z", "org_user_invite_accepted", invite_id="invite_0001", actor=actor)
    guest = invite(1, status="accepted", email="another@acme.example")
    made = nights(ScriptedApi(users=[user(1, added_at="2026-05-10T08:00:00Z")], invites=[guest], activities=[came]))
    made.night()
    assert rolled_back(made, date(2026, 5, 20))[0]["user_0001"]["invite_id"] is None


def test_a_base_of_an_older_version_is_rolled_back_with_what_it_has(nights: Start):
    made = nights(ScriptedApi(users=[user(1)], api_keys=[api_key(1, workspace_id="wrkspc_1")], activities=[]))
    made.night()
    newer = {"key_scope", "invite_id", "usage_observed_until"}
    table = pq.ParquetFile(made.file()).read()
    metadata = table.schema.metadata
    assert FACTS_KEY in metadata
    pq.write_table(table.drop_columns(list(newer)).replace_schema_metadata(metadata), made.file())
    rows, _ = rolled_back(made, DAY - timedelta(days=2))
    assert {row["key_scope"] for row in rows.values()} == {None}
    assert set(rows) == {"user_0001", "apikey_0001"}
