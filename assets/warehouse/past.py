"""What the warehouse is told of the past that changed: replaced versions of days, the rows that they had, conflicts,
and the tables of license types that earlier warehouses were built with.

These files are few and never replaced, so all of them are read at every build.
"""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from assets.assignments import schema
from assets.assignments.reference import TABLE as LICENSE_TYPES
from assets.assignments.restatement import RESTATED_ROWS, Restatement, read_restatement
from assets.assignments.snapshot import SnapshotFacts, read_facts, workspaces_known
from assets.engine import parquet_view
from assets.layout import CONFLICTS, RESTATEMENTS, SUPERSEDED, DataDirectory
from assets.warehouse.mappings import MAPPINGS, loaded_at

RESTATEMENT_FACTS = pa.schema(
    [
        schema.ORGANIZATION_ID,
        schema.SNAPSHOT_DATE,
        ("known_from", schema.INSTANT),
        ("restated_at", schema.INSTANT),
        ("run_id", schema.TEXT),
        ("provenance_before", schema.TEXT),
        ("provenance_after", schema.TEXT),
        ("was_final", pa.bool_()),
        ("reason", schema.TEXT),
        ("seats_before", pa.int64()),
        ("seats_after", pa.int64()),
        # what the replaced version knew
        ("organization_name", schema.TEXT),
        ("users", pa.int64()),
        ("api_keys", pa.int64()),
        ("invites", pa.int64()),
        ("workspaces_known", pa.bool_()),
        ("default_workspace", schema.TEXT),
    ]
)


def load_past(connection: duckdb.DuckDBPyConnection, published: DataDirectory, staged: DataDirectory) -> None:
    """Add `restatements`, `restated_rows`, `reconstruction_conflicts` and `mappings` to the current database."""
    files = _files(RESTATEMENTS, published, staged)
    connection.from_arrow(pa.Table.from_pylist([_row(path, published) for path in files], RESTATEMENT_FACTS)).create(
        "restatements"
    )
    conflicts = _files(CONFLICTS, published, staged)
    for name, paths, columns, day in (
        ("restated_rows", files, RESTATED_ROWS, "snapshot_date"),
        ("reconstruction_conflicts", conflicts, schema.CONFLICTS, "base_date"),
    ):
        everything = pa.schema([pa.field(day, schema.DAY), schema.ORGANIZATION_ID, *columns])
        parquet_view(connection, name, [str(path) for path in paths], everything, day=day)
    connection.from_arrow(_mappings(published, staged)).create("mappings")


def _row(path: Path, published: DataDirectory) -> dict[str, object]:
    """One replacement, and what the version that it replaced knew."""
    told = read_restatement(path)
    superseded = published.root / SUPERSEDED / path.parent.parent.name / path.parent.name / path.name
    replaced = told.replaced or read_facts(superseded)
    row: dict[str, object] = {
        name: getattr(told, name) for name in RESTATEMENT_FACTS.names if name in Restatement.__struct_fields__
    }
    row |= {"provenance_before": told.provenance_before.value, "provenance_after": told.provenance_after.value}
    return row | (_known(replaced, superseded) if replaced else {})


def _known(facts: SnapshotFacts, path: Path) -> dict[str, object]:
    names = ("organization_name", "users", "api_keys", "invites", "default_workspace")
    workspaces = workspaces_known(path, facts) if path.exists() else facts.workspaces_known
    return {name: getattr(facts, name) for name in names} | {"workspaces_known": workspaces}


def _mappings(published: DataDirectory, staged: DataDirectory) -> pa.Table:
    """Every table of license types that a warehouse was built with, and since when."""
    columns = pa.schema([("known_from", schema.INSTANT), *LICENSE_TYPES])
    kept = {path.name: path for tree in (published, staged) for path in (tree.root / MAPPINGS).glob("*.parquet")}
    found = [columns.empty_table()]
    for path in kept.values():
        rows = pq.read_table(path, schema=LICENSE_TYPES)
        since = pa.array([loaded_at(path)] * rows.num_rows, schema.INSTANT)
        found.append(rows.add_column(0, columns.field(0), since))
    return pa.concat_tables(found)


def _files(dataset: str, published: DataDirectory, staged: DataDirectory) -> list[Path]:
    """The dataset's files, a staged one in the place of the published one that it will replace."""
    found = {
        path.relative_to(tree.root): path
        for tree in (published, staged)
        for path in (tree.root / dataset).glob("*=*/organization_id=*/*.parquet")
    }
    return [found[key] for key in sorted(found)]
