"""The client that the sandbox's tests ask with."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from sandbox import Clock, Switches

NOW = datetime(2026, 11, 24, 2, 15, tzinfo=UTC)
BETA = "analytics-usage-cost-2026-08-24"
OAUTH = {"x-api-key": "", "authorization": "Bearer sk-ant-oat01-test"}

Headers = Any
"""None, or a dict; said so, mypy would take what a query in `**` holds for them."""


class Api:
    """A client that asks like the pipeline's, and walks pages in the API's two ways."""

    def __init__(self, base_url: str, clock: Clock, switches: Switches) -> None:
        self.base_url, self.clock, self.switches = base_url, clock, switches
        headers = {"x-api-key": "sk-ant-admin01-test", "anthropic-version": "2023-06-01", "anthropic-beta": BETA}
        self.client = httpx.Client(base_url=base_url, headers=headers, trust_env=False)

    def get(self, path: str, headers: Headers = None, **params: Any) -> httpx.Response:
        path = path if path.startswith("/") else f"/v1/organizations/{path}"
        return self.client.get(path, params=params or None, headers=headers)

    def ok(self, path: str, headers: Headers = None, **params: Any) -> Any:
        response = self.get(path, headers, **params)
        assert response.status_code == 200, response.text
        return response.json()

    def by_id_cursor(self, path: str, cursor: str = "after_id", **params: Any) -> Iterator[list[Any]]:
        page = self.ok(path, **params)
        yield page["data"]
        while page["has_more"]:
            following = page["last_id" if cursor == "after_id" else "first_id"]
            assert following != params.get(cursor), "the walk stands still"
            params[cursor] = following
            page = self.ok(path, **params)
            yield page["data"]

    def by_page_token(self, path: str, headers: Headers = None, **params: Any) -> Iterator[list[Any]]:
        page = self.ok(path, headers, **params)
        yield page["data"]
        while page["next_page"]:
            page = self.ok(path, headers, **params, page=page["next_page"])
            yield page["data"]


Serve = Callable[..., Api]
