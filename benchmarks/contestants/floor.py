"""The least that could be called a sync: the same requests one after another, and what they answer as Parquet.

No checks, no retries, no raw landing, no joins, no warehouse. Runs in `.venv-bench`.
"""

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measuring import Stopwatch

ROOT = "/v1/organizations"
ROSTERS = ("users", "api_keys", "invites", "workspaces", "analytics/users")


def sync(base_url: str, folder: Path, day: date) -> int:
    """One Parquet file per list; how many rows."""
    usage = {
        "limit": 1000,
        "time_bucket_width": "1d",
        "group_by[]": ["actor", "api_key_id"],
        "starting_at": f"{day - timedelta(days=3)}T00:00:00Z",
        "ending_at": f"{day + timedelta(days=1)}T00:00:00Z",
    }
    questions = {name: {"limit": 1000} for name in ROSTERS} | {"analytics/usage": usage}
    rows = 0
    with httpx.Client(base_url=base_url) as client:
        client.get(f"{ROOT}/me")
        for name, question in questions.items():
            pages = [pa.Table.from_pylist(page) for page in walk(client, name, question)]
            if pages:
                table = pa.concat_tables(pages, promote_options="permissive")
                pq.write_table(table, folder / f"{name.replace('/', '_')}.parquet", compression="zstd")
                rows += table.num_rows
    return rows


def walk(client: httpx.Client, name: str, question: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The items of each page."""
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(f"{ROOT}/{name}", params=question | cursor)
        if answer.status_code == 404:
            return
        page = orjson.loads(answer.content)
        yield page["data"]
        if not page["has_more"]:
            return
        cursor = {"page": page["next_page"]} if "next_page" in page else {"after_id": page["last_id"]}


def main() -> None:
    base_url, folder, day = sys.argv[1:]
    watch = Stopwatch()
    with watch.step("sync"):
        rows = sync(base_url, Path(folder), date.fromisoformat(day))
    watch.tell(rows)


if __name__ == "__main__":
    main()
