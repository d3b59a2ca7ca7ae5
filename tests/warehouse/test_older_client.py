"""An analyst's DuckDB is older than ours: tables, views, macros and comments are all there for it."""

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.history.snapshots import Snapshot, World

OLDER = Path(__file__).parents[2] / ".venv-duckdb1" / "bin" / "python"

ASK = """
import json, sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
told = [connection.execute(query).fetchall() for query in json.load(sys.stdin)]
print(json.dumps([duckdb.__version__, told], default=str))
"""

QUERIES = {
    "select holder_id, valid_from, is_current from license_history order by all": [
        ["ada", "2026-03-01", True],
        ["bob", "2026-03-02", True],
    ],
    "select snapshot_date, holder_id from license_snapshots order by all": [
        ["2026-03-01", "ada"],
        ["2026-03-02", "ada"],
        ["2026-03-02", "bob"],
    ],
    "select holder_id, is_observed from licenses_on(date '2026-03-01')": [["ada", True]],
    "select count(*) from licenses_on(date '2026-03-02', known_at := timestamptz '2999-01-01 00:00:00+00')": [[2]],
    "select count(*) > 0 from duckdb_columns() where table_name = 'license_history' and comment is not null": [[True]],
    "select count(*) from license_events": [[2]],
}


@pytest.mark.skipif(not OLDER.exists(), reason="make test installs the older client")
def test_a_1_4_client_reads_tables_views_macros_and_comments(world: World):
    world.publish(
        Snapshot("org", date(2026, 3, 1), {"user": {"ada": {"name": "Ada"}}}),
        Snapshot("org", date(2026, 3, 2), {"user": {"ada": {"name": "Ada"}, "bob": {}}}),
    )
    asked = subprocess.run(
        [OLDER, "-c", ASK, world.tree.warehouse],
        input=json.dumps(list(QUERIES)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    version, told = json.loads(asked.stdout)
    assert version.startswith("1.4.")
    expected: list[Any] = list(QUERIES.values())
    assert dict(zip(QUERIES, told, strict=True)) == dict(zip(QUERIES, expected, strict=True))
