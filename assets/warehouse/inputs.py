"""What a warehouse is made from: the files of a data directory, and what the warehouse before it knows already.

In the attached database `inputs` stand only the files that are new or replaced since; everything else comes from the
old warehouse, as long as it was made by this very code and nobody has changed it. Else all files are read.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from assets.assignments import schema
from assets.assignments.snapshot import read_facts
from assets.engine import sql_file
from assets.layout import COVERAGE, SNAPSHOTS, USAGE, DataDirectory

DATASETS = (USAGE, COVERAGE, SNAPSHOTS)

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
        ("loaded_at", schema.INSTANT),
        ("loaded_by", schema.TEXT),
        ("reason", schema.TEXT),
    ]
)

FILES = pa.schema(
    [
        ("dataset", schema.TEXT),
        schema.ORGANIZATION_ID,
        ("day", schema.DAY),
        ("bytes", pa.int64()),
        ("modified_ns", pa.int64()),
    ]
)
HISTORY = pa.schema(
    [
        schema.ORGANIZATION_ID,
        *(field for field in schema.LICENSE_ASSIGNMENTS if field.name not in schema.NOT_ATTRIBUTES),
        ("valid_from", schema.DAY),
        ("valid_to", schema.DAY),
        ("is_current", pa.bool_()),
        ("days_observed", pa.int64()),
    ]
)
LICENSE_USAGE = pa.schema([schema.ORGANIZATION_ID, *schema.USAGE, ("first_reported", schema.DAY)])
Mark = tuple[str, str, date, int, int]


@dataclass(frozen=True)
class InputFile:
    """A Parquet file; whoever replaces it leaves another size or time of writing."""

    dataset: str
    organization_id: str
    day: date
    bytes: int
    modified_ns: int
    path: Path

    @property
    def mark(self) -> "Mark":
        return self.dataset, self.organization_id, self.day, self.bytes, self.modified_ns


@dataclass(frozen=True)
class Inputs:
    """All files, those of them that must be read, and the datasets for which the old warehouse answers for the rest."""

    files: tuple[InputFile, ...]
    to_read: tuple[InputFile, ...]
    known: frozenset[str]

    def paths(self, dataset: str) -> list[str]:
        return [str(file.path) for file in self.to_read if file.dataset == dataset]

    @property
    def snapshots(self) -> list[InputFile]:
        return [file for file in self.files if file.dataset == SNAPSHOTS]

    @property
    def days_to_read(self) -> list[InputFile]:
        return [file for file in self.to_read if file.dataset == SNAPSHOTS]


def files_of(dataset: str, *trees: DataDirectory) -> list[InputFile]:
    """The dataset's files by day; where two trees have the same, the later tree's."""
    found = {
        path.relative_to(tree.root): path
        for tree in trees
        for path in (tree.root / dataset).glob("*=*/organization_id=*/part.parquet")
    }
    return [_input_file(dataset, found[key]) for key in sorted(found)]


def _input_file(dataset: str, path: Path) -> InputFile:
    day, organization_id = (folder.name.partition("=")[2] for folder in (path.parent.parent, path.parent))
    stat = path.stat()
    return InputFile(dataset, organization_id, date.fromisoformat(day), stat.st_size, stat.st_mtime_ns, path)


def gather(connection: duckdb.DuckDBPyConnection, published: DataDirectory, staged: DataDirectory) -> Inputs:
    """List the files, and attach the old warehouse as `known` where it can be started from."""
    files = tuple(file for dataset in DATASETS for file in files_of(dataset, published, staged))
    marks = _known_marks(connection, published.warehouse)
    known = frozenset(dataset for dataset in DATASETS if marks and _answers(dataset, files, marks))
    to_read = tuple(file for file in files if file.dataset not in known or file.mark not in marks)
    return Inputs(files, to_read, known)


def _answers(dataset: str, files: tuple[InputFile, ...], marks: set[Mark]) -> bool:
    """Whether the old warehouse is worth starting from: for usage, what is in it cannot be taken out again."""
    before = {mark for mark in marks if mark[0] == dataset}
    now = {file.mark for file in files if file.dataset == dataset}
    return 2 * len(before & now) >= len(now) if dataset == SNAPSHOTS else before <= now


def _known_marks(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> set[Mark]:
    """The files that the old warehouse was made from; none where it cannot be trusted, whatever the reason."""
    if not warehouse.exists():
        return set()
    connection.execute("set variable made_by = ?", [made_by()])
    try:
        connection.execute(f"attach '{quoted(warehouse)}' as known (read_only)")
        connection.execute("use known")
        recorded = connection.execute("from internal.build_info").fetchall()
        if recorded == connection.execute(sql_file(__file__, "internal/build_info")).fetchall():
            return set(connection.execute("from internal.input_files").fetchall())
    except duckdb.Error:
        pass  # missing tables, another format, damaged, or open elsewhere for writing: built anew
    finally:
        connection.execute("use memory")
    return set()


@cache
def made_by() -> str:
    """What the tables depend on besides the files: this folder's code and DuckDB's version."""
    code = sha256(duckdb.__version__.encode())
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in (".py", ".sql", ".toml"):
            code.update(path.read_bytes())
    return code.hexdigest()


def load(connection: duckdb.DuckDBPyConnection, inputs: Inputs, license_types: pa.Table) -> None:
    """Make the database `inputs`, which the relations read."""
    connection.execute("attach ':memory:' as inputs")
    connection.execute("use inputs")
    _set_variables(connection, inputs)
    for name, paths, columns, day in (
        ("snapshots", inputs.paths(SNAPSHOTS), schema.LICENSE_ASSIGNMENTS, "snapshot_date"),
        ("latest_snapshots", latest_paths(inputs), schema.LICENSE_ASSIGNMENTS, "snapshot_date"),
        ("usage", inputs.paths(USAGE), schema.USAGE, "observed_day"),
        ("coverage", inputs.paths(COVERAGE), schema.COVERAGE, "observed_day"),
    ):
        _read(connection, name, paths, columns, day)
    for name, dataset, table, empty in (
        ("known_history", SNAPSHOTS, "license_history", HISTORY),
        ("known_log", SNAPSHOTS, "snapshot_log", FACTS),
        ("known_usage", USAGE, "license_usage", LICENSE_USAGE),
        ("known_coverage", COVERAGE, "internal.usage_coverage", pa.schema([schema.ORGANIZATION_ID, *schema.COVERAGE])),
    ):
        if dataset in inputs.known:
            connection.execute(f"create view {name} as from known.{table}")
        else:
            connection.from_arrow(empty.empty_table()).create(name)
    _facts(connection, inputs)
    connection.from_arrow(license_types).create("license_types")
    connection.from_arrow(_file_table(inputs.files)).create("files")


def latest_paths(inputs: Inputs) -> list[str]:
    """The snapshot file of each organization's last day; files are listed by day."""
    return list({file.organization_id: str(file.path) for file in inputs.snapshots}.values())


def _set_variables(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    days = [file.day for file in inputs.days_to_read] or [date.min]
    for name, value in (("first_day", min(days)), ("last_day", max(days)), ("made_by", made_by())):
        connection.execute(f"set variable {name} = $value", {"value": value})


def _read(
    connection: duckdb.DuckDBPyConnection, name: str, paths: list[str], columns: pa.Schema, day_column: str
) -> None:
    """A view over Parquet files, the two columns in their paths first and as what they are."""
    everything = pa.schema([pa.field(day_column, schema.DAY), schema.ORGANIZATION_ID, *columns])
    if not paths:
        connection.from_arrow(everything.empty_table()).create(name)
        return
    connection.execute(f"set variable {name}_files = $paths", {"paths": paths})
    connection.execute(
        f"""create view {name} as select {", ".join(everything.names)} from read_parquet(
            getvariable('{name}_files'),
            hive_partitioning = true, hive_types = {{'{day_column}': date, 'organization_id': varchar}}
        )"""
    )


def _facts(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """`days_to_read`, and `facts`: from the metadata of the files to read, and for other days from the old log."""
    columns = [schema.ORGANIZATION_ID, schema.SNAPSHOT_DATE]
    for name, files in (("days_to_read", inputs.days_to_read), ("days", inputs.snapshots)):
        rows = [{"organization_id": file.organization_id, "snapshot_date": file.day} for file in files]
        connection.from_arrow(pa.Table.from_pylist(rows, pa.schema(columns))).create(name)
    facts = pa.Table.from_pylist([_row(file.path) for file in inputs.days_to_read], FACTS)
    connection.from_arrow(facts).create("facts")
    connection.execute(
        f"""insert into facts select {", ".join(FACTS.names)} from known_log
            semi join days using (organization_id, snapshot_date)
            anti join days_to_read using (organization_id, snapshot_date)"""
    )


def _row(path: Path) -> dict[str, object]:
    facts = read_facts(path)
    assert facts is not None
    row = msgspec.structs.asdict(facts)
    return row | {"provenance": facts.provenance.value}


def _file_table(files: tuple[InputFile, ...]) -> pa.Table:
    names = ("dataset", "organization_id", "day", "bytes", "modified_ns")
    return pa.Table.from_pylist([dict(zip(names, file.mark, strict=True)) for file in files], FILES)


def quoted(value: object) -> str:
    """For the inside of a SQL string, where no parameter can stand."""
    return str(value).replace("'", "''")
