"""Building `warehouse.duckdb`: always a new file, in which each relation is made from the inputs and from one another.

The file is written in the storage format of DuckDB 1.2, because what DuckDB 2 writes by default no 1.x client opens.
"""

from datetime import date
from pathlib import Path

import duckdb

from assets.assignments.reference import LICENSE_TYPES, license_types
from assets.assignments.snapshot import read_facts
from assets.errors import PublishFailed
from assets.finance.inputs import load_finance
from assets.layout import SNAPSHOTS, DataDirectory
from assets.warehouse.inputs import files_of, gather, load, quoted
from assets.warehouse.past import load_past
from assets.warehouse.relations import create, relations

STORAGE_VERSION = "v1.2.0"
ROW_GROUP_SIZE = 30_720
"""Rows: a quarter of DuckDB's own, so that both cores have something to do for 100,000 holders."""


def build(connection: duckdb.DuckDBPyConnection, published: DataDirectory, staged: DataDirectory, place: Path) -> None:
    """Write the warehouse of all published and staged files to `place`, which must not exist.

    It is left attached as `warehouse`, beside the `inputs` that it was made from, to be checked.

    Raises:
        PublishFailed: there is no snapshot to build from.
        BadReference: a reference file, of license types, prices or cost centres, cannot be used.
    """
    inputs = gather(connection, published, staged)
    if not inputs.snapshots:
        raise PublishFailed("There is no snapshot yet, so there is no warehouse to build: take one first.")
    types = license_types(published.reference(LICENSE_TYPES))
    load(connection, inputs, types)
    load_finance(connection, published, staged, types.column("license_type").to_pylist())
    load_past(connection, published, staged)
    options = f"storage_version '{STORAGE_VERSION}', row_group_size {ROW_GROUP_SIZE}"
    connection.execute(f"attach '{quoted(place)}' as warehouse ({options})")
    connection.execute("use warehouse")
    connection.execute("begin")  # one transaction: each commit would wait for the disk
    connection.execute("create schema internal")
    for relation in relations():
        create(connection, relation)
    connection.execute("commit")
    connection.execute("checkpoint warehouse")


def newest_days(data: DataDirectory) -> dict[str, date]:
    """Each organization's last snapshot day."""
    newest = {file.organization_id: file.path for file in files_of(SNAPSHOTS, data)}
    facts = [found for path in newest.values() if (found := read_facts(path))]
    return {fact.title: fact.snapshot_date for fact in facts}
