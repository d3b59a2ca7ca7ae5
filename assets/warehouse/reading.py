"""Opening the warehouse for reading, whoever else has it open."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import gettempdir

import duckdb

from assets.engine import bound, quoted, short_in_words, spilling
from assets.errors import LicenseHistoryError
from assets.layout import DataDirectory
from assets.room import limits, memory


@contextmanager
def opened(data: DataDirectory, *, spills: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, read-only, in UTC, without access to anything but itself.

    What does not fit into memory goes into the data directory, unless it `spills` nothing: then nothing is touched.

    Raises:
        LicenseHistoryError: there is no warehouse yet.
        NoRoom: memory or disk did not suffice.
    """
    if not data.warehouse.exists():
        raise LicenseHistoryError(
            f"There is no warehouse yet in {data.root}: take a snapshot first (licenses snapshot, or make run)."
        )
    scratch = data.root if os.access(data.root, os.W_OK) else Path(gettempdir())  # who may only read it
    with short_in_words(), ExitStack() as stack:
        spill = stack.enter_context(spilling(scratch)) if spills else None
        # In a database of its own: a setting holds for whoever in this process has the same file open.
        connection = stack.enter_context(duckdb.connect(":memory:"))
        bound(connection, limits(memory()).last, spill)
        try:
            _attach(connection, data.warehouse)
        except duckdb.IOException:
            # Somebody has opened it for writing, which locks everybody else out: read a copy.
            copy = stack.enter_context(spilling(scratch)) / data.warehouse.name
            shutil.copyfile(data.warehouse, copy)
            _attach(connection, copy)
        connection.execute("use warehouse")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_external_access = false")
        yield connection


def _attach(connection: duckdb.DuckDBPyConnection, place: Path) -> None:
    connection.execute(f"attach '{quoted(place)}' as warehouse (read_only)")
