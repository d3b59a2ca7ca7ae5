"""A list that contradicts itself is no list: it fails with a sentence that names it, and nothing is made of it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from assets.errors import ListFailed
from assets.extraction import paging
from assets.extraction.answers import Answer
from assets.extraction.api import USERS
from assets.extraction.landing import newest_observation
from tests.scripted import DAY, Nights, Row, ScriptedApi, api_key, error, page, user

Start = Callable[..., Nights]


def saying(*pages: httpx.Response, of: str = "users") -> ScriptedApi:
    """An organization whose list is these pages, one after another; the last one again and again."""
    api, answers = ScriptedApi(users=[user(1)]), list(pages)
    api.says[of] = lambda _: answers.pop(0) if len(answers) > 1 else answers[0]
    return api


def not_read(nights: Nights, name: str) -> str:
    """Why a list beside the roster was not read; all that stands between it and the others is the manifest."""
    outcome = nights.observe().manifest.lists[name]
    assert outcome.state.value == "not read"
    assert not (nights.observe().folder / f"{name}.jsonl.zst").exists()
    return outcome.reason or ""


def failure_of(nights: Nights) -> str:
    """The sentence with which the observation fails; the manifest must say the same, and no snapshot may come of it."""
    with pytest.raises(ListFailed) as caught:
        nights.observe()
    manifest = nights.manifest()
    assert (manifest["complete"], manifest["failure"]) == (False, str(caught.value))
    assert newest_observation(nights.data, "org_1", DAY) is None
    return str(caught.value)


@pytest.mark.parametrize(
    ("pages", "sentence"),
    [
        (
            [page([user(1)], has_more=True)],
            "it says has_more but gives no last_id, request id req_7.",
        ),
        (
            [page([user(1)], has_more=True, last_id="user_0001")],
            "the cursor user_0001 came back a second time, request id req_7.",
        ),
        (
            [page([user(1), user(2)], has_more=True, last_id="user_0001")],
            "a page names user_0001 as its last item, which is user_0002, request id req_7.",
        ),
        (
            [page([user(1), user(2)], last_id="user_0009")],
            "a page names user_0009 as its last item, which is user_0002, request id req_7.",
        ),
        (
            [page([], has_more=True, last_id="user_0001")],
            "the cursor user_0001 came back a second time, request id req_7.",
        ),
        (
            [page([], has_more=True)],
            "it says has_more but gives no last_id, request id req_7.",
        ),
        (
            [page([user(1)], has_more=None, last_id="user_0001")],
            "it does not say whether there is more, request id req_7.",
        ),
        (
            [page([user(1), user(1, role="admin")])],
            "user_0001 came twice with different contents.",
        ),
    ],
)
def test_a_list_that_contradicts_itself_fails(nights: Start, pages: list[httpx.Response], sentence: str):
    told = failure_of(nights(saying(*pages)))
    assert told.startswith(f"the list of members contradicts itself: {sentence}")
    assert told.endswith("It was not taken for complete.")


def test_a_list_with_more_pages_than_can_be_is_taken_for_endless(nights: Start, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(paging.walk, "__kwdefaults__", {"page_bound": 5})
    api, turns = ScriptedApi(), iter(range(100))

    def endless(_: httpx.Request) -> httpx.Response:
        turn = next(turns)
        return page([user(turn)], has_more=True, last_id=f"user_{turn:04}")

    api.says["users"] = endless
    assert "it has more than 5 pages" in failure_of(nights(api))


def test_the_bound_on_pages_lets_twenty_million_items_through():
    """One item more than the bound is too many; the bound itself is not."""

    def pages_of(count: int) -> int:
        bodies = [
            f'{{"data":[{{"id":"{n}","role":"r"}}],"has_more":{n < count},"last_id":"{n}"}}'
            for n in range(1, count + 1)
        ]
        answers = iter(Answer(body.replace("True", "true").replace("False", "false").encode(), None) for body in bodies)
        return sum(1 for _ in paging.walk(USERS, lambda _: next(answers), page_bound=3))

    assert pages_of(3) == 3
    with pytest.raises(ListFailed, match="more than 3 pages"):
        pages_of(4)
    assert paging.PAGE_BOUND * 1000 >= 1_000_000


@pytest.mark.parametrize(
    ("name", "noun", "row", "field"),
    [
        ("users", "members", {"role": "user"}, "id"),
        ("users", "members", user(2, id=None), "id"),
        ("users", "members", user(2, id=""), "id"),
        ("users", "members", {"id": "user_0002"}, "role"),
        ("users", "members", user(2, role=None), "role"),
        ("api_keys", "API keys", {"status": "active"}, "id"),
        ("api_keys", "API keys", {"id": "apikey_0002"}, "status"),
        ("api_keys", "API keys", api_key(2, status=None), "status"),
        ("invites", "invites", {"status": "pending"}, "id"),
        ("workspaces", "workspaces", {"name": "W"}, "id"),
    ],
)
def test_items_that_all_lack_what_every_item_has_fail_their_list_and_are_named(
    nights: Start, name: str, noun: str, row: Row, field: str
):
    rows = [row | {"id": f"{row['id']}{place}"} for place in "abc"] if row.get("id") else [row]
    made = nights(saying(page(rows), of=name))
    told = not_read(made, name) if name in ("invites", "workspaces") else failure_of(made)
    assert told.startswith(f"the list of {noun} has an unexpected shape")
    assert f"`{field}`" in told or f".{field}`" in told
    assert told.endswith("Nothing was taken for data.")


@pytest.mark.parametrize(
    "row",
    [
        {"id": "user_0002", "role": "user"},
        {"id": "user_0002", "role": "user", "email": None, "name": None, "added_at": None},
    ],
)
def test_what_may_be_missing_or_null_is_null(nights: Start, row: Row):
    snapshot = nights(ScriptedApi(users=[row])).night()
    assert {snapshot["user_0002"][name] for name in ("email", "name", "assigned_at")} == {None}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None, "has_more": False},
        {"data": {}, "has_more": False},
        {"data": [user(1)], "has_more": "no"},
        {"data": [[]], "has_more": False},
        {"data": [user(n, added_at="yesterday") for n in range(3)], "has_more": False},
        {"data": [user(n, added_at="2026-06-01T08:00:00") for n in range(3)], "has_more": False},
        {"data": [user(n, name=5) for n in range(3)], "has_more": False},
        [],
        "users",
    ],
)
def test_json_of_an_unexpected_shape_is_not_taken_for_data(nights: Start, body: Any):
    told = failure_of(nights(saying(httpx.Response(200, json=body, headers={"request-id": "req_9"}))))
    assert told.startswith("the list of members has an unexpected shape: ")
    assert "request id req_9" in told


def test_an_item_that_comes_again_unchanged_is_kept_once_and_counted(nights: Start):
    made = nights(ScriptedApi(users=[user(1), user(2), user(2), user(3)], api_keys=[api_key(1), api_key(1)]))
    snapshot = made.night()
    assert sorted(snapshot) == ["apikey_0001", "user_0001", "user_0002", "user_0003"]
    users = made.manifest()["lists"]["users"]
    assert (users["rows"], users["repeated"]) == (3, 1)
    assert (made.facts().users, made.facts().api_keys, made.facts().repeated) == (3, 1, 2)


def test_an_item_that_comes_again_on_a_later_page_is_kept_once(nights: Start):
    api = saying(page([user(1), user(2)], has_more=True, last_id="user_0002"), page([user(2), user(3)]))
    made = nights(api)
    assert sorted(made.night()) == ["user_0001", "user_0002", "user_0003"]
    assert (
        made.manifest()["lists"]["users"] | {"rows": 3, "repeated": 1, "pages": 2} == made.manifest()["lists"]["users"]
    )


def losing_its_place(times: int) -> ScriptedApi:
    """Whose second page is gone (404) this often, as when the object that the cursor names was deleted."""
    api, left = ScriptedApi(users=[user(1), user(2), user(3)], api_keys=[api_key(1)]), [times]
    api.page_size = 2

    def users(request: httpx.Request) -> httpx.Response:
        if "after_id" in request.url.params and left[0] > 0:
            left[0] -= 1
            api.lists["users"] = [user(1), user(3), user(4)]
            return error(404, "after_id was not found")
        return api.answer(request)

    api.says["users"] = users
    return api


@pytest.mark.parametrize("times", [1, 3])
def test_a_list_whose_cursor_has_gone_starts_over_and_is_whole(nights: Start, times: int):
    made = nights(losing_its_place(times))
    assert sorted(made.night()) == ["apikey_0001", "user_0001", "user_0003", "user_0004"]
    users = made.manifest()["lists"]["users"]
    assert (users["restarts"], users["rows"], users["pages"], users["repeated"]) == (times, 3, 2, 0)


def test_a_list_whose_cursor_keeps_going_is_given_up_after_three_restarts(nights: Start):
    told = failure_of(nights(losing_its_place(4)))
    assert told.startswith("the list of members lost its place 4 times")


def test_a_permission_lost_in_the_middle_is_not_the_end_of_the_list(nights: Start):
    api = saying(page([user(1)], has_more=True, last_id="user_0001"), error(403))
    assert "broke off in the middle: the key lost its permission" in failure_of(nights(api))


def test_usage_that_becomes_unavailable_in_the_middle_is_not_complete(nights: Start):
    api = ScriptedApi(users=[user(1)])
    api.says["analytics/usage"] = lambda request: (
        page([]) if request.url.params["starting_at"] < "2026-04" else error(403)
    )
    assert not_read(nights(api), "analytics_usage").startswith("the list of usage by actor and key broke off after")


def test_what_moved_under_the_walk_is_walked_once_more(nights: Start):
    """Somebody's role changed between two pages that both hold them; a second walk hears one of the two."""
    old, new = user(1), user(1, role="admin")
    api = saying(page([old], has_more=True, last_id="user_0001"), page([new]), page([new, user(2)]))
    made = nights(api)
    assert {row["license_type"] for row in made.night().values()} == {"Admin", "User"}
    users = made.manifest()["lists"]["users"]
    assert (users["restarts"], users["rows"], users["repeated"]) == (1, 2, 0)


def test_a_list_that_contradicts_itself_twice_is_not_walked_a_third_time(nights: Start):
    api = saying(*[page([user(1), user(1, role="admin")])] * 2, page([user(1)]))
    assert "user_0001 came twice with different contents" in failure_of(nights(api))


def test_an_empty_page_that_goes_on_is_followed(nights: Start):
    api = saying(page([], has_more=True, last_id="user_0000"), page([user(1)], last_id="user_0001"))
    assert list(nights(api).night()) == ["user_0001"]
