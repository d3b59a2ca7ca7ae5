"""All that is known of usage by now, as relations: what a day's last uses are looked up in, and what watched it.

And who bore an e-mail or a key's name when it was used: the snapshots know it, tonight's roster only for tonight.
"""

from collections.abc import Collection, Iterable, Sequence, Set
from datetime import date, timedelta
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from assets.columns import DAY
from assets.engine import literal, make, parquet_view, sql_file
from assets.extraction.carried import Carried, Covered
from assets.extraction.coverage import UsageFiles, with_night
from assets.layout import SNAPSHOTS, DataDirectory, day_files
from assets.snapshots.schema import COVERAGE, LAST_USE, LICENSE_ASSIGNMENTS, ORGANIZATION_ID, SNAPSHOT_DATE, USAGE
from assets.snapshots.snapshot import known_facts
from assets.snapshots.usage_sources import sources_table

OBSERVED = pa.schema([pa.field("observed_day", DAY), ORGANIZATION_ID, *USAGE])
"""Usage told by several nights."""

DATED = pa.schema([SNAPSHOT_DATE, *LICENSE_ASSIGNMENTS])
"""Snapshots of several days together."""


def load_usage(connection: duckdb.DuckDBPyConnection, files: UsageFiles, organization_id: str) -> None:
    """Make `usage`, `coverage` and `watched` of the files of all nights: for days that any of them may tell of.

    Raises:
        DamagedFile: one of them cannot be read to its end.
    """
    for one in files.inside:
        raise one
    _load_told(connection, "usage", files.usage)
    load_coverage(connection, files.known.coverage, organization_id)


def load_told_before(connection: duckdb.DuckDBPyConnection, files: UsageFiles, within_reach: Collection[Path]) -> None:
    """Make `last_use_before` and `told_before`: what was carried forward, and the uses that the nights since and those
    `within_reach` told."""
    parquet_view(connection, "last_use_before", [files.state] if files.state else [], LAST_USE)
    told = sorted({*files.usage, *within_reach})
    parquet_view(connection, "told_before", told, OBSERVED, day="observed_day")


def carry_forward(
    connection: duckdb.DuckDBPyConnection,
    files: UsageFiles,
    tonight: Path,
    covered: Iterable[Covered],
    organization_id: str,
) -> Carried:
    """Make `usage`, `coverage` and `watched` of tonight, of what was carried forward and of the nights since; `usage`
    has last uses only. Returns what is to be carried forward beside them. Reads `last_use_before` and `observation`.
    """
    _load_told(connection, "told_since", [*files.usage, tonight])
    make(connection, __file__, "usage", "last_use")
    known = with_night(files.known, covered)
    load_coverage(connection, known.coverage, organization_id)
    spoke_to = dict(known.spoke_to)
    for source, last in connection.execute(sql_file(__file__, "last_words")).fetchall():
        spoke_to[source] = max(last, spoke_to.get(source, last))
    return msgspec.structs.replace(known, spoke_to=spoke_to)


def _load_told(connection: duckdb.DuckDBPyConnection, relation: str, files: Iterable[Path]) -> None:
    """The nights' own words. The columns are those of every version so far: many files need not be compared first."""
    if paths := [literal(path) for path in files]:
        connection.read_parquet(paths, hive_partitioning=False).create_view(relation)
    else:
        connection.from_arrow(USAGE.empty_table()).create(relation)


def load_coverage(connection: duckdb.DuckDBPyConnection, covered: Iterable[Covered], organization_id: str) -> None:
    """Make `coverage` and, out of it, `watched`: on which days silence is evidence."""
    rows = [msgspec.structs.asdict(one) for one in covered]
    connection.register("coverage_told", pa.Table.from_pylist(rows, COVERAGE))
    make(connection, __file__, "coverage", organization_id=organization_id)
    connection.register("usage_sources", sources_table())
    make_watched(connection)


def make_watched(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `watched` out of `coverage` and `usage_sources`."""
    make(connection, __file__, "watched")


class Bearers:
    """Snapshots of an organization before a day: who bore a name on a day of use.

    Those of a usage day and of the day before hold its closing and its opening state; where there is neither, the
    nearest earlier one. Of `trees`, the last that has a day is read; what cannot be read knows nobody.
    """

    def __init__(
        self, trees: Sequence[DataDirectory], organization_id: str, day: date, without: Collection[Path] = ()
    ) -> None:
        files = day_files(SNAPSHOTS, *trees, organization_id=organization_id)
        self._known = {file.day: file.path for file in files if file.day < day and file.path not in without}
        self._read: set[date] = set()

    def load(self, connection: duckdb.DuckDBPyConnection, usage_days: Collection[date]) -> None:
        """Make `snapshots_then`: the holders of those snapshots that tell of `usage_days`."""
        while unread := _states_of(self._known.keys(), usage_days) - self._read:
            for day in unread:
                if known_facts(self._known[day]):
                    self._read.add(day)
                else:
                    del self._known[day]
        files = [self._known[day] for day in sorted(_states_of(self._known.keys(), usage_days))]
        parquet_view(connection, "snapshots_then", files, DATED, day="snapshot_date")


def _states_of(known: Set[date], usage_days: Iterable[date]) -> set[date]:
    wanted: set[date] = set()
    for used in usage_days:
        around = known & {used, used - timedelta(days=1)}
        earlier = max((found for found in known if found < used), default=None)
        wanted |= around or ({earlier} if earlier else set())
    return wanted
