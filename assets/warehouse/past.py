"""What the warehouse is told of the past that changed: restatements, the rows that they replaced, and conflicts.

These files are few and never replaced, so all of them are read at every build.
"""

from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from assets.assignments import schema
from assets.assignments.restatement import RESTATED_ROWS, read_restatement
from assets.layout import CONFLICTS, RESTATEMENTS, DataDirectory

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
        ("rows_added", pa.int64()),
        ("rows_removed", pa.int64()),
        ("rows_changed", pa.int64()),
        ("seats_before", pa.int64()),
        ("seats_after", pa.int64()),
    ]
)


def load_past(connection: duckdb.DuckDBPyConnection, published: DataDirectory, staged: DataDirectory) -> None:
    """Add `restatements`, `restated_rows` and `reconstruction_conflicts` to the connection's current database."""
    files = _files(RESTATEMENTS, published, staged)
    facts = [msgspec.structs.asdict(read_restatement(path)) for path in files]
    connection.from_arrow(pa.Table.from_pylist(facts, RESTATEMENT_FACTS)).create("restatements")
    _load(connection, "restated_rows", files, "snapshot_date", RESTATED_ROWS)
    conflicts = _files(CONFLICTS, published, staged)
    _load(connection, "reconstruction_conflicts", conflicts, "base_date", schema.CONFLICTS)


def _files(dataset: str, published: DataDirectory, staged: DataDirectory) -> list[Path]:
    """The dataset's files, a staged one in the place of the published one that it will replace."""
    found = {
        path.relative_to(tree.root): path
        for tree in (published, staged)
        for path in (tree.root / dataset).glob("*=*/organization_id=*/*.parquet")
    }
    return [found[key] for key in sorted(found)]


def _load(
    connection: duckdb.DuckDBPyConnection, name: str, files: list[Path], day_column: str, columns: pa.Schema
) -> None:
    everything = pa.schema([pa.field(day_column, schema.DAY), schema.ORGANIZATION_ID, *columns])
    if not files:
        connection.from_arrow(everything.empty_table()).create(name)
        return
    connection.execute(
        f"""create table {name} as select {", ".join(everything.names)} from read_parquet(
            $files, hive_partitioning = true, hive_types = {{'{day_column}': date, 'organization_id': varchar}}
        )""",
        {"files": [str(path) for path in files]},
    )
