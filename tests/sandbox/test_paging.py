"""A walk over pages meets each row once, whatever the page size and the direction."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Organization, UsageGeneration
from tests.sandbox.clients import OAUTH, Api, Serve

BY_ID = ["users", "api_keys", "invites", "workspaces", "/v1/compliance/activities"]
BY_TOKEN: dict[str, tuple[UsageGeneration, dict[str, Any]]] = {
    "service_accounts": (UsageGeneration.ANALYTICS, {"headers": OAUTH, "include_archived": True}),
    "analytics/usage": (
        UsageGeneration.ANALYTICS,
        {
            "starting_at": "2026-11-09T00:00:00Z",
            "ending_at": "2026-11-24T00:00:00Z",
            "time_bucket_width": "1d",
            "group_by[]": ["actor", "api_key_id"],
        },
    ),
    "usage_report/claude_code": (UsageGeneration.REPORTS, {"starting_at": "2026-11-20"}),
    "usage_report/messages": (UsageGeneration.REPORTS, {"starting_at": "2026-11-01T00:00:00Z"}),
    "analytics/users": (UsageGeneration.ENTERPRISE, {"starting_date": "2026-11-01"}),
}
MOST = {"usage_report/messages": 31, "service_accounts": 100}


@pytest.fixture(scope="module")
def apis(serve: Serve) -> dict[UsageGeneration, Api]:
    company = Organization("paging", members=36, api_keys=14)
    return {generation: serve(company, usage=generation) for generation in UsageGeneration}


@pytest.mark.parametrize("path", BY_ID)
@given(limit=st.integers(1, 150))
def test_id_cursors_give_each_row_once(apis: dict[UsageGeneration, Api], path: str, limit: int):
    api = apis[UsageGeneration.ANALYTICS]
    everything = api.ok(path, limit=1000)["data"]
    pages = list(api.by_id_cursor(path, limit=limit))
    assert [*chain(*pages)] == everything
    assert all(len(page) == limit for page in pages[:-1])


@pytest.mark.parametrize("path", BY_ID)
@given(limit=st.integers(1, 150))
def test_id_cursors_give_each_row_once_backwards(apis: dict[UsageGeneration, Api], path: str, limit: int):
    api = apis[UsageGeneration.ANALYTICS]
    everything = api.ok(path, limit=1000)["data"]
    pages = list(api.by_id_cursor(path, cursor="before_id", limit=limit, before_id=everything[-1]["id"]))
    assert [*chain(*reversed(pages))] == everything[:-1]


@pytest.mark.parametrize("path", BY_TOKEN)
@given(limit=st.integers(1, 31))
def test_page_tokens_give_each_row_once(apis: dict[UsageGeneration, Api], path: str, limit: int):
    generation, query = BY_TOKEN[path]
    most = MOST.get(path, 1000)
    everything = apis[generation].ok(path, **query, limit=most)["data"]
    pages = list(apis[generation].by_page_token(path, **query, limit=limit))
    assert [*chain(*pages)] == everything
    assert all(len(page) == limit for page in pages[:-1])


@given(limit=st.integers(1, 40), role=st.sampled_from(["user", "developer", "admin"]))
def test_filters_and_cursors_work_together(apis: dict[UsageGeneration, Api], limit: int, role: str):
    api = apis[UsageGeneration.ANALYTICS]
    everything = [row for row in api.ok("users", limit=1000)["data"] if row["role"] == role]
    assert [*chain(*api.by_id_cursor("users", limit=limit, roles=role))] == everything


@pytest.mark.parametrize("path", BY_TOKEN)
@pytest.mark.parametrize("every", [1, 2, 3])
def test_empty_pages_with_a_next_page_lose_nothing(apis: dict[UsageGeneration, Api], path: str, every: int):
    generation, query = BY_TOKEN[path]
    everything = apis[generation].ok(path, **query, limit=MOST.get(path, 1000))["data"]
    with _switched(apis[generation], empty_page_every=every) as api:
        pages = list(api.by_page_token(path, **query, limit=2))
        first = api.ok(path, **query)
    assert [*chain(*pages)] == everything
    gaps = [number for number, page in enumerate(pages) if not page]
    assert gaps == [turn * (every + 1) + every - 1 for turn in range(len(gaps))]
    assert gaps
    if every == 1:
        assert (first["data"], bool(first["next_page"]), first.get("has_more", True)) == ([], True, True)


@pytest.mark.parametrize("cursor", ["after_id", "before_id"])
@pytest.mark.parametrize("every", [1, 3])
def test_empty_pages_of_the_feed_lose_nothing(apis: dict[UsageGeneration, Api], cursor: str, every: int):
    path, plain = "/v1/compliance/activities", apis[UsageGeneration.ANALYTICS]
    everything = plain.ok(path, limit=1000)["data"]
    start = {"before_id": everything[-1]["id"]} if cursor == "before_id" else {}
    with _switched(plain, empty_feed_page_every=every) as api:
        pages = list(api.by_id_cursor(path, cursor=cursor, limit=20, **start))
    assert 0 < sum(not page for page in pages) <= len(pages) / 2
    assert all(pages[-1:])
    told = [*chain(*(pages if cursor == "after_id" else reversed(pages)))]
    assert told == (everything if cursor == "after_id" else everything[:-1])


def test_an_empty_page_of_the_feed_bears_a_cursor_to_go_on_from(apis: dict[UsageGeneration, Api]):
    with _switched(apis[UsageGeneration.ANALYTICS], empty_feed_page_every=1) as api:
        page = api.ok("/v1/compliance/activities", limit=5)
        following = api.ok("/v1/compliance/activities", limit=5, after_id=page["last_id"])
    assert (page["data"], page["has_more"]) == ([], True)
    assert len(following["data"]) == 5


@contextmanager
def _switched(api: Api, **options: Any) -> Iterator[Api]:
    before = api.switches.options
    api.switches.set(**options)
    yield api
    api.switches.options = before
