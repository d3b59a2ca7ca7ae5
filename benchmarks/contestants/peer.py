"""The peer: dlt's `rest_api` source with the same lists, into DuckDB, as its documentation shows it.

Runs in `.venv-bench`.
"""

import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.contestants.questions import LIMIT, ROSTERS, usage
from benchmarks.measuring import Stopwatch

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

import dlt
from dlt.sources.rest_api import rest_api_source


def sync(base_url: str, folder: Path, day: date, days: int) -> int:
    """One table per list in `peer.duckdb`, with the usage of so few days that one question tells it; how many rows."""
    pipeline = dlt.pipeline(
        "peer",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "peer.duckdb")),
        dataset_name="licenses",
    )
    (asked,) = usage(day, days)
    source = rest_api_source(
        {
            "client": {"base_url": f"{base_url}/v1/organizations/"},
            "resource_defaults": {"write_disposition": "replace"},
            "resources": [
                *(_resource(name, LIMIT, "last_id", "after_id") for name in ROSTERS),
                _resource("analytics/usage", asked, "next_page", "page"),
            ],
        }
    )
    pipeline.run(source).raise_on_failed_jobs()
    counts = pipeline.last_trace.last_normalize_info.row_counts
    return sum(counts[name] for name in (*ROSTERS, "analytics_usage"))


def _resource(path: str, params: dict[str, Any], cursor_path: str, cursor_param: str) -> dict[str, Any]:
    paginator = {
        "type": "cursor",
        "cursor_path": cursor_path,
        "cursor_param": cursor_param,
        "has_more_path": "has_more",
    }
    endpoint = {"path": path, "params": params, "data_selector": "data", "paginator": paginator}
    return {"name": path.replace("/", "_"), "endpoint": endpoint}


def main() -> None:
    base_url, folder, day, days = sys.argv[1:]
    watch = Stopwatch()
    with watch.step("sync"):
        rows = sync(base_url, Path(folder), date.fromisoformat(day), int(days))
    watch.tell(rows)


if __name__ == "__main__":
    main()
