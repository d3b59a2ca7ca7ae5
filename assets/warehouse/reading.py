"""Opening the warehouse for reading, whoever else has it open."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from assets.engine import quoted
from assets.errors import LicenseHistoryError
from assets.layout import DataDirectory


@contextmanager
def opened(data: DataDirectory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, read-only, in UTC, without access to anything but itself.

    Raises:
        LicenseHistoryError: there is no warehouse yet.
    """
    if not data.warehouse.exists():
        raise LicenseHistoryError(
            f"There is no warehouse yet in {data.root}: take a snapshot first (licenses snapshot, or make run)."
        )
    # In a database of its own: a setting holds for whoever in this process has the same file open.
    with TemporaryDirectory() as scratch, duckdb.connect(":memory:") as connection:
        try:
            _attach(connection, data.warehouse)
        except duckdb.IOException:
            # Somebody has opened it for writing, which locks everybody else out: read a copy.
            copy = Path(scratch) / data.warehouse.name
            shutil.copyfile(data.warehouse, copy)
            _attach(connection, copy)
        connection.execute("use warehouse")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_external_access = false")
        yield connection


def _attach(connection: duckdb.DuckDBPyConnection, place: Path) -> None:
    connection.execute(f"attach '{quoted(place)}' as warehouse (read_only)")
