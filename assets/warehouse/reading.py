"""Opening the warehouse for reading, whoever else has it open."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

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
    with TemporaryDirectory() as scratch:
        try:
            connection = duckdb.connect(str(data.warehouse), read_only=True)
        except duckdb.IOException:
            # Somebody has opened it for writing, which locks everybody else out: read a copy.
            copy = Path(scratch) / data.warehouse.name
            shutil.copyfile(data.warehouse, copy)
            connection = duckdb.connect(str(copy), read_only=True)
        with connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("set enable_external_access = false")
            yield connection
