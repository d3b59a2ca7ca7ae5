"""What a night asks, as floor and peer ask it: the same lists by the same parameters as ours."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

ROOT = "/v1/organizations"
LIMIT = {"limit": 1000}
ROSTERS = ("users", "api_keys", "invites", "workspaces")
DAYS_A_QUESTION = 31
"""How many days the API tells the usage of in one answer."""


def usage(day: date, days: int) -> Iterator[dict[str, Any]]:
    """The questions for the usage of so many days up to `day`."""
    first, end = day - timedelta(days=days - 1), day + timedelta(days=1)
    while first < end:
        after = min(first + timedelta(days=DAYS_A_QUESTION), end)
        yield LIMIT | {
            "time_bucket_width": "1d",
            "group_by[]": ["actor", "api_key_id", "organization_id"],
            "order_by": "time",
            "order": "asc",
            "starting_at": f"{first}T00:00:00Z",
            "ending_at": f"{after}T00:00:00Z",
        }
        first = after
