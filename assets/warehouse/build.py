"""Building `warehouse.duckdb`: always a new file, from the snapshot and usage files alone.

Each relation is `sql/<name>.sql` over the attached database `inputs`; its comments are in `comments.toml`. The file
is written in the storage format of DuckDB 1.2, because what DuckDB 2 writes by default no 1.x client opens.
"""

import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from assets.assignments import schema
from assets.assignments.snapshot import SnapshotFacts, read_facts
from assets.engine import sql_file
from assets.errors import PublishFailed
from assets.layout import SNAPSHOTS, USAGE, DataDirectory

STORAGE_VERSION = "v1.2.0"
RELATIONS = ("snapshot_log", "license_assignments", "license_usage")

FACTS = pa.schema(
    [
        schema.ORGANIZATION_ID,
        ("organization_name", schema.TEXT),
        schema.SNAPSHOT_DATE,
        ("provenance", schema.TEXT),
        ("is_final", pa.bool_()),
        ("observed_at", schema.INSTANT),
        ("run_id", schema.TEXT),
        ("observation", schema.TEXT),
        ("users", pa.int64()),
        ("api_keys", pa.int64()),
        ("invites", pa.int64()),
        ("usage_sources", pa.list_(schema.TEXT)),
        ("unmapped", pa.list_(schema.TEXT)),
        ("repeated", pa.int64()),
        ("left_out", pa.int64()),
        ("uses_before_assignment", pa.int64()),
        ("uses_ambiguous", pa.int64()),
        ("uses_unmatched", pa.int64()),
        ("conflicts", pa.int64()),
    ]
)


def build(connection: duckdb.DuckDBPyConnection, published: DataDirectory, staged: DataDirectory, place: Path) -> None:
    """Write the warehouse of all published and staged files to `place`, which must not exist.

    Raises:
        PublishFailed: there is no snapshot to build from.
    """
    snapshots = files_of(SNAPSHOTS, published, staged)
    if not snapshots:
        raise PublishFailed("There is no snapshot yet, so there is no warehouse to build: take one first.")
    connection.execute("attach ':memory:' as inputs")
    connection.execute("use inputs")
    _input(connection, "snapshots", snapshots, schema.LICENSE_ASSIGNMENTS, schema.SNAPSHOT_DATE.name)
    _input(connection, "usage", files_of(USAGE, published, staged), schema.USAGE, "observed_day")
    facts = pa.Table.from_pylist([_row(path) for path in snapshots], FACTS)
    connection.from_arrow(facts).create("facts")
    connection.execute(f"attach '{_quoted(place)}' as warehouse (storage_version '{STORAGE_VERSION}')")
    connection.execute("use warehouse")
    for relation in RELATIONS:
        connection.execute(f"create table {relation} as {sql_file(__file__, relation)}")
        _comment(connection, relation)
    connection.execute("use memory")
    connection.execute("detach warehouse")


def files_of(dataset: str, published: DataDirectory, staged: DataDirectory) -> list[Path]:
    """The dataset's files, a staged one in the place of the published one that it will replace."""
    found = {
        path.relative_to(tree.root): path
        for tree in (published, staged)
        for path in (tree.root / dataset).glob("*=*/organization_id=*/part.parquet")
    }
    return [found[key] for key in sorted(found)]


def all_facts(data: DataDirectory) -> Iterator[SnapshotFacts]:
    """The facts of every published snapshot, by day."""
    for path in files_of(SNAPSHOTS, data, data.staging("none")):
        if facts := read_facts(path):
            yield facts


def _input(
    connection: duckdb.DuckDBPyConnection, name: str, files: list[Path], columns: pa.Schema, day_column: str
) -> None:
    if not files:
        empty = pa.schema([pa.field(day_column, schema.DAY), schema.ORGANIZATION_ID, *columns]).empty_table()
        connection.from_arrow(empty).create(name)
        return
    rows = connection.read_parquet([str(path) for path in files], hive_partitioning=True)
    names = ", ".join([day_column, schema.ORGANIZATION_ID.name, *columns.names])
    rows.project(names.replace(day_column, f"cast({day_column} as date) as {day_column}", 1)).create_view(name)


def _row(path: Path) -> dict[str, object]:
    facts = read_facts(path)
    assert facts is not None
    row = msgspec.structs.asdict(facts)
    return row | {"provenance": facts.provenance.value}


def _comment(connection: duckdb.DuckDBPyConnection, relation: str) -> None:
    """Put the comments on a relation and its columns; nothing may go without one."""
    own, shared = comments()[relation], comments()["columns"]
    connection.execute(f"comment on table {relation} is '{_quoted(own['comment'])}'")
    for column, *_ in connection.execute(f"describe {relation}").fetchall():
        text = own.get(column) or shared[column]
        connection.execute(f"comment on column {relation}.{column} is '{_quoted(text)}'")


@cache
def comments() -> dict[str, dict[str, str]]:
    """Every relation's own and its columns' comments; `columns` holds those that several relations share."""
    found: dict[str, dict[str, str]] = tomllib.loads((Path(__file__).parent / "comments.toml").read_text("utf-8"))
    found["columns"] = schema.comments(schema.USAGE) | schema.comments(schema.LICENSE_ASSIGNMENTS) | found["columns"]
    return found


def _quoted(value: object) -> str:
    return str(value).replace("'", "''")


def newest_days(data: DataDirectory) -> dict[str, date]:
    """Each organization's last snapshot day."""
    newest: dict[str, date] = {}
    for facts in all_facts(data):
        newest[facts.title] = max(newest.get(facts.title, facts.snapshot_date), facts.snapshot_date)
    return newest
