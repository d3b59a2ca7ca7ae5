"""All that is known of usage by now, as relations: what a day's last uses are looked up in, and what watched it.

And who bore an e-mail or a key's name when it was used: the snapshots know it, tonight's roster only for tonight.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from assets.engine import literal, make, parquet_view
from assets.extraction.coverage import UsageFiles
from assets.layout import DataDirectory
from assets.snapshots.schema import COVERAGE, LICENSE_ASSIGNMENTS, SNAPSHOT_DATE, USAGE
from assets.snapshots.snapshot import snapshots_of
from assets.snapshots.usage_sources import sources_table

DATED = pa.schema([SNAPSHOT_DATE, *LICENSE_ASSIGNMENTS])
"""Snapshots of several days together."""


def load_usage(connection: duckdb.DuckDBPyConnection, files: UsageFiles, organization_id: str) -> None:
    """Make `usage`, `coverage` and `watched`."""
    load_told(connection, files.usage)
    load_coverage(connection, files.coverage, organization_id)


def load_told(connection: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> None:
    """Make `usage`. Its columns are those of every version so far: its many files need not be compared first."""
    if paths := [literal(path) for path in files]:
        connection.read_parquet(paths, hive_partitioning=False).create_view("usage")
    else:
        connection.from_arrow(USAGE.empty_table()).create("usage")


def load_coverage(connection: duckdb.DuckDBPyConnection, files: Iterable[Path], organization_id: str) -> None:
    """Make `coverage` and, out of it, `watched`: on which days silence is evidence."""
    parquet_view(connection, "coverage_told", files, COVERAGE)
    make(connection, __file__, "coverage", organization_id=organization_id)
    connection.register("usage_sources", sources_table())
    make_watched(connection)


def make_watched(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `watched` out of `coverage` and `usage_sources`."""
    make(connection, __file__, "watched")


def load_bearers(
    connection: duckdb.DuckDBPyConnection,
    trees: Sequence[DataDirectory],
    organization_id: str,
    day: date,
    usage_days: Iterable[date],
    without: Collection[Path] = (),
) -> None:
    """Make `snapshots_then`: the holders of snapshots before `day` that say who bore a name on each of `usage_days`.

    Those of a usage day and of the day before hold its closing and its opening state; where there is neither, the
    nearest earlier one. Of `trees`, the last that has a day is read; what cannot be read knows nobody.
    """
    known = {
        file.day: file.path
        for file, _ in snapshots_of(organization_id, *trees)
        if file.day < day and file.path not in without
    }
    files = [known[found] for found in sorted(_states_of(set(known), usage_days))]
    parquet_view(connection, "snapshots_then", files, DATED, day="snapshot_date")


def _states_of(known: set[date], usage_days: Iterable[date]) -> set[date]:
    wanted: set[date] = set()
    for used in usage_days:
        around = known & {used, used - timedelta(days=1)}
        earlier = max((found for found in known if found < used), default=None)
        wanted |= around or ({earlier} if earlier else set())
    return wanted
