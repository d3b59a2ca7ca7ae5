"""A walk over pages meets each row once, whatever the page size and the direction."""

from itertools import chain
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sandbox import Organization, UsageGeneration
from tests.sandbox.clients import Api, Serve

BY_ID = ["users", "api_keys", "invites", "workspaces", "/v1/compliance/activities"]
BY_TOKEN: dict[str, tuple[UsageGeneration, dict[str, Any]]] = {
    "service_accounts": (UsageGeneration.ANALYTICS, {"include_archived": True}),
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
SOME = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def apis(serve: Serve) -> dict[UsageGeneration, Api]:
    company = Organization("paging", members=36, api_keys=14)
    return {generation: serve(company, usage=generation) for generation in UsageGeneration}


@pytest.mark.parametrize("path", BY_ID)
@SOME
@given(limit=st.integers(1, 150))
def test_id_cursors_give_each_row_once(apis: dict[UsageGeneration, Api], path: str, limit: int):
    api = apis[UsageGeneration.ANALYTICS]
    everything = api.ok(path, limit=1000)["data"]
    pages = list(api.by_id_cursor(path, limit=limit))
    assert [*chain(*pages)] == everything
    assert all(len(page) == limit for page in pages[:-1])


@pytest.mark.parametrize("path", BY_ID)
@SOME
@given(limit=st.integers(1, 150))
def test_id_cursors_give_each_row_once_backwards(apis: dict[UsageGeneration, Api], path: str, limit: int):
    api = apis[UsageGeneration.ANALYTICS]
    everything = api.ok(path, limit=1000)["data"]
    pages = list(api.by_id_cursor(path, cursor="before_id", limit=limit, before_id=everything[-1]["id"]))
    assert [*chain(*reversed(pages))] == everything[:-1]


@pytest.mark.parametrize("path", BY_TOKEN)
@SOME
@given(limit=st.integers(1, 31))
def test_page_tokens_give_each_row_once(apis: dict[UsageGeneration, Api], path: str, limit: int):
    generation, query = BY_TOKEN[path]
    most = 31 if path == "usage_report/messages" else 1000
    everything = apis[generation].ok(path, **query, limit=most)["data"]
    pages = list(apis[generation].by_page_token(path, **query, limit=limit))
    assert [*chain(*pages)] == everything
    assert all(len(page) == limit for page in pages[:-1])


@SOME
@given(limit=st.integers(1, 40), role=st.sampled_from(["user", "developer", "admin"]))
def test_filters_and_cursors_work_together(apis: dict[UsageGeneration, Api], limit: int, role: str):
    api = apis[UsageGeneration.ANALYTICS]
    everything = [row for row in api.ok("users", limit=1000)["data"] if row["role"] == role]
    assert [*chain(*api.by_id_cursor("users", limit=limit, roles=role))] == everything
