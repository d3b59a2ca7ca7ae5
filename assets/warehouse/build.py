"""Building `warehouse.duckdb`: always a new file, in which each relation is made from the inputs and from one another.

The file is written in the storage format of DuckDB 1.2, because what DuckDB 2 writes by default no 1.x client opens.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shutil import copyfile

import duckdb

from assets.engine import has_more_memory, quoted, shortage
from assets.errors import DamagedFile
from assets.files.damaged import unreadable
from assets.layout import DataDirectory
from assets.warehouse.amending import amend, show_known
from assets.warehouse.attached import create_macros
from assets.warehouse.relations import Kind, create, relations
from assets.warehouse.seal import sealed
from assets.warehouse.subject import Material, Subjects

MANY_FILES = 180
"""Of two months. What more of them tell does not fit into the little memory that a night needs, and to find that out
again and again, by spilling, took several times as long as all the rest."""
STORAGE_VERSION = "v1.2.0"
ROW_GROUP_SIZE = 30_720
"""Rows: a quarter of DuckDB's own, so that both cores have something to do for 100,000 holders."""


def build(
    connection: duckdb.DuckDBPyConnection,
    subjects: Subjects,
    published: DataDirectory,
    staged: DataDirectory,
    place: Path,
    *,
    anew: bool = False,
) -> list[DamagedFile]:
    """Write the warehouse of all published and staged files to `place`, which must not exist.

    It is left attached as `warehouse`, beside the `inputs` that it was made from, to be checked. Made `anew`, it takes
    nothing from the warehouse that there is. Returns the files that could not be read: it was made without them.

    Raises:
        PublishFailed: there is no snapshot to build from.
        BadReference: a reference file, of license types, prices or cost centres, cannot be used.
    """
    if anew:
        connection.execute("attach ':memory:' as known")  # where a subject looks for what is known already
    materials = [one.gather(connection, published, staged) for one in subjects]
    try:
        _make_roomily(connection, subjects, materials, place)
    except (duckdb.Error, DamagedFile) as error:
        if isinstance(error, duckdb.Error) and shortage(error):
            raise
        # Footers that can be read say nothing of what lies before them.
        bad = unreadable([path for one in materials for path in one.paths])
        if not bad:
            raise
        _take_back(connection, place)
        materials = [one.gather(connection, published, staged, bad) for one in subjects]
        _make_roomily(connection, subjects, materials, place)
    return [bad for one in materials for bad in one.damaged]


def reopen(connection: duckdb.DuckDBPyConnection, subjects: Subjects, published: DataDirectory) -> None:
    """Attach the warehouse that is there, to be read only, beside the inputs from all files, to be checked as one is
    that `build` has left."""
    _load(connection, [one.gather_all(published) for one in subjects])
    connection.execute(f"attach '{quoted(published.warehouse)}' as warehouse (read_only)")


def _make_roomily(
    connection: duckdb.DuckDBPyConnection, subjects: Subjects, materials: Sequence[Material], place: Path
) -> None:
    """A statement of a transaction cannot be repeated: where memory runs out, all of them are, with more of it."""
    if sum(1 for one in materials for _ in one.paths) > MANY_FILES:
        has_more_memory(connection)
    try:
        _make(connection, subjects, materials, place)
    except duckdb.OutOfMemoryException:
        _take_back(connection, place)
        if not has_more_memory(connection):
            raise
        _make(connection, subjects, materials, place)


def _make(
    connection: duckdb.DuckDBPyConnection, subjects: Subjects, materials: Sequence[Material], place: Path
) -> None:
    _load(connection, materials)
    if amends := all(one.adds_only(connection) for one in materials):
        _copy_known(connection, place)
    options = f"storage_version '{STORAGE_VERSION}', row_group_size {ROW_GROUP_SIZE}"
    connection.execute(f"attach '{quoted(place)}' as warehouse ({options})")
    connection.execute("use warehouse")
    connection.execute("set variable amends = $amends", {"amends": amends})
    with sealed(connection, place):
        connection.execute("begin")  # one transaction: each commit would wait for the disk
        _make_relations(connection, subjects, amends=amends)
        connection.execute("commit")
        connection.execute("checkpoint warehouse")


def _make_relations(connection: duckdb.DuckDBPyConnection, subjects: Subjects, *, amends: bool) -> None:
    make = amend if amends else create
    connection.execute("create schema if not exists internal")
    for relation in (everything := relations(subjects)):
        if relation.kind != Kind.MACRO:
            show_known(connection, relation, amends=amends)
            make(connection, relation)
    if not amends:
        create_macros(connection, everything)


def _copy_known(connection: duckdb.DuckDBPyConnection, place: Path) -> None:
    ((known,),) = (
        connection.table_function("duckdb_databases").filter("database_name = 'known'").select("path").fetchall()
    )
    copyfile(known, place)


def _load(connection: duckdb.DuckDBPyConnection, materials: Sequence[Material]) -> None:
    connection.execute("attach ':memory:' as inputs")
    connection.execute("use inputs")
    for one in materials:
        one.load(connection)


def _take_back(connection: duckdb.DuckDBPyConnection, place: Path) -> None:
    """As if nothing had been made; what was known before stays attached."""
    with suppress(duckdb.TransactionException):
        connection.execute("rollback")
    connection.execute("use memory")
    for database in ("warehouse", "inputs"):
        connection.execute(f"detach database if exists {database}")
    remove(place)


def remove(place: Path) -> None:
    """Remove a warehouse that was begun, and its log."""
    for file in (place, place.with_name(f"{place.name}.wal")):
        file.unlink(missing_ok=True)
