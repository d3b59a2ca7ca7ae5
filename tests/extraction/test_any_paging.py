"""Whatever the page size, whatever list, whatever passing fault: the same rows."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.extraction.answers import Answer
from assets.extraction.api import (
    ANALYTICS_USAGE,
    ANALYTICS_USERS,
    API_KEYS,
    INVITES,
    USERS,
    WORKSPACES,
    Endpoint,
)
from assets.extraction.paging import walk
from tests.examples import cheap
from tests.scripted import Nights, ScriptedApi, api_key, error, person, used, user

ids = st.lists(st.text("abcXYZ019_", min_size=1, max_size=6), unique=True, max_size=40)
BARE = [
    (USERS, {"role": "user"}),
    (API_KEYS, {"status": "active"}),
    (INVITES, {"status": "pending"}),
    (WORKSPACES, {}),
]


def by_cursor(rows: list[dict], size: int, cursor: dict[str, str]) -> dict:
    first = next((n + 1 for n, row in enumerate(rows) if row["id"] == cursor.get("after_id")), 0)
    part = rows[first : first + size]
    return {"data": part, "has_more": first + size < len(rows), "last_id": part[-1]["id"] if part else None}


def by_token(rows: list[dict], size: int, cursor: dict[str, str]) -> dict:
    first = int(cursor.get("page", "0"))
    following = str(first + size) if first + size < len(rows) else None
    return {"data": rows[first : first + size], "next_page": following}


def walked(endpoint: Endpoint, rows: list[dict], size: int) -> Iterator[str]:
    def fetch(cursor: dict[str, str]) -> Answer:
        return Answer(json.dumps(by_cursor(rows, size, cursor)).encode(), None)

    for fetched in walk(endpoint, fetch):
        yield from (item.id for item in fetched.items)


@cheap()
@given(kind=st.sampled_from(BARE), names=ids, size=st.integers(1, 50))
def test_any_list_by_cursor_is_walked_whole_and_in_order(kind: tuple, names: list[str], size: int):
    endpoint, fields = kind
    rows = [{"id": name, **fields} for name in names]
    assert list(walked(endpoint, rows, size)) == names


@cheap()
@given(names=ids, size=st.integers(1, 50))
def test_a_list_by_token_is_walked_whole_even_where_it_does_not_say_has_more(names: list[str], size: int):
    rows = [{"user": {"id": name}} for name in names]

    def fetch(cursor: dict[str, str]) -> Answer:
        return Answer(json.dumps(by_token(rows, size, cursor)).encode(), None)

    assert [item.user.id for fetched in walk(ANALYTICS_USERS, fetch) for item in fetched.items] == names


@cheap()
@given(days=st.lists(st.dates(), max_size=30), size=st.integers(1, 40))
def test_usage_rows_are_walked_whole_with_all_their_equals(days: list, size: int):
    rows = [{"starting_at": f"{day}T00:00:00Z", "group": {}} for day in days]

    def fetch(cursor: dict[str, str]) -> Answer:
        return Answer(json.dumps(by_token(rows, size, cursor)).encode(), None)

    walk_of = walk(ANALYTICS_USAGE, fetch)
    assert [item.starting_at.date() for fetched in walk_of for item in fetched.items] == days


FAULTS = (
    lambda: error(429, retry_after="0"),
    lambda: error(500),
    lambda: error(529),
    lambda: httpx.ReadError("reset"),
    lambda: httpx.ReadTimeout("late"),
)


@pytest.mark.slow
@given(
    members=st.integers(0, 25),
    keys=st.integers(0, 25),
    size=st.integers(1, 30),
    faults=st.lists(st.none() | st.sampled_from(FAULTS), max_size=40),
    repeats=st.sets(st.integers(1, 25), max_size=3),
)
def test_the_snapshot_is_the_same_whatever_the_paging_the_faults_and_the_repeats(
    members: int, keys: int, size: int, faults: list, repeats: set[int]
):
    def company(also: set[int]) -> ScriptedApi:
        people = [user(n) for n in range(1, members + 1) for _ in range(2 if n in also else 1)]
        uses = [used("2026-05-20", actor=person(f"user_{n:04}")) for n in range(1, members + 1, 2)]
        return ScriptedApi(users=people, api_keys=[api_key(n) for n in range(1, keys + 1)], analytics_usage=uses)

    plain, odd = company(set()), company(repeats)
    odd.page_size = size
    # A page that is full of one id's copies would make a cursor come back, which is a contradiction.
    if repeats & set(range(1, members + 1)) and size < 3:
        odd.page_size = 3
    left, failed = list(faults), Counter[str]()

    def faulty(request: httpx.Request) -> httpx.Response:
        make = left.pop() if left and failed[str(request.url)] < 5 else None  # then its patience would end
        fault = make() if make else None
        failed[str(request.url)] += fault is not None
        if isinstance(fault, Exception):
            raise fault
        return fault or odd(request)

    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        assert Nights(Path(one), faulty).night() == Nights(Path(other), plain).night()
