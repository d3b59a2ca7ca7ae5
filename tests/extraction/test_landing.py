"""The landing: what the API said, as it said it, sealed by a manifest, never changed afterwards."""

import hashlib
import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from assets.errors import ListFailed
from assets.extraction.landing import PageWriter, newest_observation, read_pages
from tests.scripted import DAY, NEXT_NIGHT, Nights, ScriptedApi, api_key, page, user

Start = Callable[..., Nights]


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_pages_are_kept_as_they_came_with_fields_that_nobody_knows(nights: Start):
    rows = [user(1, seat_tier="premium", tags={"a": [1, None]}), user(2, name="Zoë “Z” 李\u2028\u0000")]
    made = nights(ScriptedApi(users=rows))
    observation = made.observe()
    (kept,) = read_pages(observation.pages("users"))
    assert json.loads(kept) == {"data": rows, "has_more": False, "first_id": "user_0001", "last_id": "user_0002"}
    made.derive(observation)
    assert made.rows()["user_0002"]["name"] == "Zoë “Z” 李\u2028\u0000"
    assert "seat_tier" not in made.rows()["user_0001"]


def test_a_page_with_line_breaks_is_one_line_that_means_the_same(tmp_path: Path):
    spread = json.dumps({"data": [user(1)], "has_more": False}, indent=2).replace("\n", "\r\n").encode()
    with PageWriter(tmp_path / "pages.zst") as pages:
        pages.write(spread)
        pages.write(b"{}")
    kept = list(read_pages(tmp_path / "pages.zst"))
    assert [json.loads(one) for one in kept] == [json.loads(spread), {}]


def test_a_manifest_says_for_each_list_what_came(nights: Start):
    api = ScriptedApi(users=[user(n) for n in range(1, 6)], api_keys=[api_key(1)])
    api.page_size = 2
    made = nights(api)
    made.observe()
    told = made.manifest()
    assert {name: told[name] for name in ("organization_id", "organization_name", "day", "run_id", "api_version")} == {
        "organization_id": "org_1",
        "organization_name": "Acme",
        "day": "2026-06-01",
        "run_id": "run_1",
        "api_version": "2023-06-01",
    }
    assert told["observed_at"] == "2026-06-02T02:00:00Z"
    users = told["lists"]["users"]
    assert (users["state"], users["pages"], users["rows"]) == ("complete", 3, 5)
    assert (users["first_id"], users["last_id"]) == ("user_0001", "user_0005")
    assert users["request_ids"] == ["req_7"] * 3
    assert users["key"] == "KEY_1"
    assert users["started_at"] <= users["ended_at"]
    assert set(told["lists"]) >= {
        *("users", "api_keys", "invites", "workspaces", "workspaces_listed"),
        *("analytics_usage", "messages_usage", "claude_code", "analytics_users"),
    }


def test_an_observation_is_never_changed_by_a_later_one_of_the_same_second(nights: Start):
    made = nights(ScriptedApi(users=[user(1)]))
    first = made.observe()
    before = hashes(first.folder)
    made.api.lists["users"] = [user(2)]
    second = made.observe()
    assert hashes(first.folder) == before
    assert first.folder != second.folder
    assert newest_observation(made.data, "org_1", DAY) == second


def test_the_newest_observation_counts_and_a_failed_one_does_not(nights: Start):
    made = nights(ScriptedApi(users=[user(1)]))
    early = made.observe(at=NEXT_NIGHT - timedelta(hours=8))
    assert newest_observation(made.data, "org_1", DAY) == early
    late = made.observe()
    made.api.says["users"] = lambda _: page([user(1)], has_more=True)
    with pytest.raises(ListFailed):
        made.observe(at=NEXT_NIGHT + timedelta(hours=1))
    assert newest_observation(made.data, "org_1", DAY) == late


def test_without_a_sealed_manifest_there_is_no_observation(nights: Start):
    made = nights(ScriptedApi(users=[user(1)]))
    observation = made.observe()
    (observation.folder / "manifest.json").unlink()
    assert newest_observation(made.data, "org_1", DAY) is None


def test_pages_are_on_disk_before_the_list_has_ended(nights: Start):
    """Memory stays flat: a page that has been heard is not held."""
    api = ScriptedApi(users=[user(n, name=random.randbytes(400).hex()) for n in range(1, 2_000)])
    heard: list[int] = []
    api.page_size = 10

    def users(request):
        heard.extend(path.stat().st_size for path in made.data.root.rglob("users.jsonl.zst"))
        return api.answer(request)

    api.says["users"] = users
    made = nights(api)
    made.observe()
    assert heard[0] == 0 < heard[-1]
