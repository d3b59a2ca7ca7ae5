"""`python -m tests.same_rows ANOTHER_CHECKOUT DATA`: what two versions of this program make of one data directory.

Each derives every observed day again from the landing and builds the warehouse from nothing, in a copy of its own and
through its own command line. Then every Parquet file and every relation is compared row by row, duplicates counted.
Left out is only what says when and by which run something was loaded. Exits 1 where anything differs.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

PROJECT = Path(__file__).parents[1]
LOADED = {
    "run_id",
    "loaded_by",
    "loaded_at",
    "restated_at",
    "known_from",
    "made_by",
    "written_at",
    "bytes",
    "modified_ns",
}
"""Columns that tell when, by which run or by which code."""
REPLACED = {"main.snapshot_log": {"lag"}}
"""Columns that were given up on purpose, and stand in the changelog."""
NOW = "2029-01-01T02:00:00Z"
DATASETS = ("snapshots", "usage", "restatements", "superseded", "finance")


def made_by(checkout: Path, data: Path, place: Path) -> Path:
    """A copy of the data directory, derived and built by a checkout."""
    shutil.copytree(data, place, ignore=shutil.ignore_patterns("warehouse.duckdb*", "dagster", "staging", "*.lock"))
    days = sorted(folder.name.partition("=")[2] for folder in place.glob("snapshots/license_assignments/*"))
    ours = ("ANTHROPIC_", "LICENSES_", "DAGSTER_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"LICENSES_DATA_DIR": str(place), "LICENSES_NOW": NOW, "ANTHROPIC_ADMIN_KEY": "sk-ant-admin01-none"}
    environment |= {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "PYTHONPATH": str(checkout)}
    program = [str(checkout / ".venv" / "bin" / "licenses")]
    replayed = ["backfill", "--from", days[0], "--to", days[-1], "--source", "replay", "--replace", "--accept-drop"]
    for words in (replayed, ["report", "--month", days[-1][:7]]):
        done = subprocess.run([*program, *words], cwd=checkout, env=environment, capture_output=True, text=True)
        if done.returncode not in (0, 3):  # days without a landing cannot be replayed
            raise SystemExit(f"{checkout}: licenses {' '.join(words)} ended with {done.returncode}\n{done.stderr}")
    return place


def relations(warehouse: duckdb.DuckDBPyConnection, database: str) -> dict[str, list[str]]:
    """The columns of each table and view, those that are told by the clock left out."""
    found = warehouse.execute(
        "select schema_name, table_name, list(column_name order by column_index) from duckdb_columns() "
        "where database_name = ? and not internal group by all",
        [database],
    ).fetchall()
    kept = {f"{schema}.{name}": [one for one in columns if one not in LOADED] for schema, name, columns in found}
    return {name: columns for name, columns in kept.items() if columns}


def compared(old: Path, new: Path) -> Iterator[str]:
    """A line for each thing in which they differ."""
    asked, answered = (answers(one / "warehouse.duckdb") for one in (old, new))
    print(f"{len(asked)} answers of macros")
    for question, rows in asked.items():
        lost, gained = (rows - answered[question]).total(), (answered[question] - rows).total()
        if lost or gained:
            yield f"{question}: {lost} rows lost, {gained} new"
    with duckdb.connect(":memory:") as connection:
        for name, place in (("old", old), ("new", new)):
            connection.execute(f"attach '{place / 'warehouse.duckdb'}' as {name} (read_only)")
        before, after = relations(connection, "old"), relations(connection, "new")
        print(f"{len(before)} relations; new ones: {', '.join(sorted(after.keys() - before.keys())) or 'none'}")
        for name, columns in sorted(before.items()):
            there = [one for one in columns if one in after.get(name, [])]
            if gone := set(columns) - set(there) - REPLACED.get(name, set()):
                yield f"{name}: without {', '.join(sorted(gone))}"
            if there:
                yield from _differ(connection, name, there, f"old.{name}", f"new.{name}")
        files = [sorted(str(file.relative_to(one)) for file in _files(one)) for one in (old, new)]
        print(f"{len(files[0])} Parquet files")
        yield from (f"{name}: only in one of them" for name in sorted(set(files[0]) ^ set(files[1])))
        for name in sorted(set(files[0]) & set(files[1])):
            sides = [f"read_parquet('{one / name}', hive_partitioning = false)" for one in (old, new)]
            columns = [one for one, *_ in connection.execute(f"describe from {sides[0]}").fetchall()]
            yield from _differ(connection, name, [one for one in columns if one not in LOADED], *sides)


def answers(warehouse: Path) -> dict[str, Counter[tuple[Any, ...]]]:
    """What the macros answer for the first, a middle and the last day."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute("select distinct snapshot_date from snapshot_log order by all").fetchall()
        days = [found[place][0] for place in sorted({0, len(found) // 2, len(found) - 1})]
        asked = [f"licenses_on(date '{day}')" for day in days]
        asked += [f"licenses_on(date '{day}', known_at := timestamptz '{NOW}')" for day in days]
        asked += [f"seats_on(date '{day}')" for day in days]
        asked += [f"{name}(date '{days[0]}', date '{days[-1]}')" for name in ("seats_between", "changes_between")]
        return {one: Counter(connection.execute(f"from {one}").fetchall()) for one in asked}


def _files(root: Path) -> Iterator[Path]:
    return (file for dataset in DATASETS for file in (root / dataset).rglob("*.parquet"))


def _differ(connection: duckdb.DuckDBPyConnection, name: str, columns: list[str], old: str, new: str) -> Iterator[str]:
    told = ", ".join(f'"{one}"' for one in columns)
    for one, other, what in ((old, new, "lost"), (new, old, "new")):
        query = f"select {told} from {one} except all select {told} from {other}"
        if rows := connection.execute(query).fetchall():
            yield f"{name}: {len(rows)} rows {what}, such as {rows[0]}"


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        checkout, data = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
        old, new = (made_by(one, data, Path(scratch) / name) for one, name in ((checkout, "old"), (PROJECT, "new")))
        differences = list(compared(old, new))
    print("\n".join(differences) or "All rows are equal.")
    sys.exit(1 if differences else 0)
