"""Whether a warehouse is as this version wrote it, told by what made it and by the time at which its file was written.

A file says of itself when it was written, and has just that time; whoever changes it leaves another one. So nothing in
it needs to be read again to be believed, however much is in it. A copy that did not keep the time is not believed.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from assets.warehouse.made_by import made_by


@contextmanager
def sealed(connection: duckdb.DuckDBPyConnection, place: Path) -> Iterator[None]:
    """Within it the file is written, `internal.build_info` too, and checkpointed last: nothing is written after it."""
    now = int(time.time()) // 2 * 2  # a disk may keep no finer times
    connection.execute("set variable made_by = $value", {"value": made_by()})
    connection.execute("set variable written_at = make_timestamptz($value)", {"value": now * 10**6})
    yield
    os.utime(place, (now, now))


def is_ours(warehouse: duckdb.DuckDBPyConnection, place: Path) -> bool:
    """Whether this version made the warehouse that is in use, and nobody has changed its file since.

    Raises:
        duckdb.Error: it does not say what made it.
    """
    log = place.with_name(f"{place.name}.wal")  # somebody's who has opened it for writing
    return not log.exists() and _told(warehouse) == [(made_by(), place.stat().st_mtime_ns)]


def _told(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    return warehouse.table("internal.build_info").select("made_by, epoch_ns(written_at)").fetchall()
