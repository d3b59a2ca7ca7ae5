"""The least that could be called a sync: the same requests one after another, and what they answer as Parquet.

No checks, no retries, no raw landing, no joins, no warehouse. Runs in `.venv-bench`.
"""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contestants.questions import LIMIT, ROOT, ROSTERS, usage
from benchmarks.measuring import Stopwatch


def sync(base_url: str, folder: Path, day: date, days: int) -> int:
    """One Parquet file per list, with the usage of so many days; how many rows."""
    lists = {f"{ROOT}/{name}": [LIMIT] for name in (*ROSTERS, "analytics/users")}
    # Twice, with the default workspace and without, and the feed, which this organization has not got.
    lists[f"{ROOT}/workspaces"] *= 2
    lists |= {"/v1/compliance/activities": [LIMIT], f"{ROOT}/analytics/usage": list(usage(day, days))}
    rows = 0
    with httpx.Client(base_url=base_url) as client:
        client.get(f"{ROOT}/me")
        for path, questions in lists.items():
            pages = [pa.Table.from_pylist(page) for one in questions for page in walk(client, path, one)]
            if pages:
                table = pa.concat_tables(pages, promote_options="permissive")
                pq.write_table(table, folder / f"{path.strip('/').replace('/', '_')}.parquet", compression="zstd")
                rows += table.num_rows
    return rows


def walk(client: httpx.Client, path: str, question: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The items of each page."""
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(path, params=question | cursor)
        if answer.status_code == 404:
            return
        page = orjson.loads(answer.content)
        yield page["data"]
        if not page["has_more"]:
            return
        cursor = {"page": page["next_page"]} if "next_page" in page else {"after_id": page["last_id"]}


def main() -> None:
    base_url, folder, day, days = sys.argv[1:]
    watch = Stopwatch()
    with watch.step("sync"):
        rows = sync(base_url, Path(folder), date.fromisoformat(day), int(days))
    watch.tell(rows)


if __name__ == "__main__":
    main()
