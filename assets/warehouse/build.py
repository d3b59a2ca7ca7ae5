"""Building `warehouse.duckdb`: always a new file, in which each relation is made from the inputs and from one another.

The file is written in the storage format of DuckDB 1.2, because what DuckDB 2 writes by default no 1.x client opens.
"""

from contextlib import suppress
from pathlib import Path

import duckdb

from assets.assignments.reference import LICENSE_TYPES, license_types
from assets.damaged import unreadable
from assets.engine import quoted
from assets.errors import DamagedFile, PublishFailed
from assets.finance.inputs import load_finance
from assets.layout import DataDirectory
from assets.warehouse.inputs import Inputs, choose, gather, load
from assets.warehouse.past import PastFiles, load_past, past_files
from assets.warehouse.relations import create, relations

STORAGE_VERSION = "v1.2.0"
ROW_GROUP_SIZE = 30_720
"""Rows: a quarter of DuckDB's own, so that both cores have something to do for 100,000 holders."""


def build(
    connection: duckdb.DuckDBPyConnection, published: DataDirectory, staged: DataDirectory, place: Path
) -> list[DamagedFile]:
    """Write the warehouse of all published and staged files to `place`, which must not exist.

    It is left attached as `warehouse`, beside the `inputs` that it was made from, to be checked. Returns the files that
    could not be read, so that it was made without them.

    Raises:
        PublishFailed: there is no snapshot to build from.
        BadReference: a reference file, of license types, prices or cost centres, cannot be used.
    """
    inputs = gather(connection, published, staged)
    past = past_files(published, staged)
    try:
        _make(connection, inputs, past, published, staged, place)
    except (duckdb.Error, DamagedFile):
        # Footers that can be read say nothing of what lies before them.
        bad = unreadable([*(file.path for file in inputs.to_read), *past.paths])
        if not bad:
            raise
        _take_back(connection, place)
        inputs, past = gather(connection, published, staged, bad), past_files(published, staged, bad)
        _make(connection, inputs, past, published, staged, place)
    return [*inputs.damaged, *past.damaged]


def _make(
    connection: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    past: PastFiles,
    published: DataDirectory,
    staged: DataDirectory,
    place: Path,
) -> None:
    if not inputs.snapshots:
        raise PublishFailed("There is no snapshot yet, so there is no warehouse to build: take one first.")
    _load(connection, inputs, past, published, staged)
    options = f"storage_version '{STORAGE_VERSION}', row_group_size {ROW_GROUP_SIZE}"
    connection.execute(f"attach '{quoted(place)}' as warehouse ({options})")
    connection.execute("use warehouse")
    connection.execute("begin")  # one transaction: each commit would wait for the disk
    connection.execute("create schema internal")
    for relation in relations():
        create(connection, relation)
    connection.execute("commit")
    connection.execute("checkpoint warehouse")


def reopen(connection: duckdb.DuckDBPyConnection, published: DataDirectory) -> None:
    """Attach the warehouse that is there, to be read only, beside the inputs from all files, to be checked as one is
    that `build` has left."""
    nothing_staged = published.staging("nothing")
    _load(connection, choose(set(), published), past_files(published), published, nothing_staged)
    connection.execute(f"attach '{quoted(published.warehouse)}' as warehouse (read_only)")


def _load(
    connection: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    past: PastFiles,
    published: DataDirectory,
    staged: DataDirectory,
) -> None:
    types = license_types(published.reference(LICENSE_TYPES))
    load(connection, inputs, types)
    load_finance(connection, published, staged, types.column("license_type").to_pylist())
    load_past(connection, past)


def _take_back(connection: duckdb.DuckDBPyConnection, place: Path) -> None:
    """As if nothing had been made; what was known before stays attached."""
    with suppress(duckdb.TransactionException):
        connection.execute("rollback")
    connection.execute("use memory")
    for database in ("warehouse", "inputs"):
        connection.execute(f"detach database if exists {database}")
    for file in (place, place.with_name(f"{place.name}.wal")):
        file.unlink(missing_ok=True)
