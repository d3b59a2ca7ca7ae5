"""The warehouse: can it be opened, and does it show what the files say."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb

from assets.layout import SNAPSHOTS, DataDirectory, day_files
from assets.warehouse.publish import is_up_to_date
from pipelines.cli.doctor.findings import Finding, note, ok, stale
from pipelines.cli.warehouse import query
from pipelines.subjects import SUBJECTS

_HELD_BY = re.compile(r"lock is held in (.+? \(PID \d+\))")


def examine_warehouse(data: DataDirectory) -> Iterator[Finding]:
    if not data.warehouse.exists():
        yield _missing(data)
        return
    log = data.warehouse.with_name(f"{data.warehouse.name}.wal")
    try:
        with duckdb.connect(str(data.warehouse), read_only=True) as connection:
            row = connection.execute(query("newest_day")).fetchone()
    except (duckdb.Error, OSError) as error:
        yield _shut(data, " ".join(str(error).split()))
    else:
        yield _readable(data, row[0] if row else None, is_up_to_date(SUBJECTS, data) or log.exists())
    if log.exists():
        yield note(
            "warehouse",
            f"{log.name} lies beside it: somebody has it open for writing, or had. Runs are not held up, but the "
            "next one replaces the file, and what was written there is lost: keep own tables in another file.",
        )


def _missing(data: DataDirectory) -> Finding:
    if day_files(SNAPSHOTS, data):
        return stale("warehouse", f"{data.warehouse} is not there, though there are snapshots. {_REBUILT}")
    return note("warehouse", f"{data.warehouse} is not there yet; the first snapshot makes it.")


_REBUILT = "It is built anew by: licenses rebuild"


def _readable(data: DataDirectory, last: date | None, up_to_date: bool) -> Finding:
    built = datetime.fromtimestamp(data.warehouse.stat().st_mtime, UTC)
    said = f"can be read, holds snapshots up to {last}, built {built:%Y-%m-%d %H:%M} UTC"
    if up_to_date:
        return ok("warehouse", f"{said}.")
    return stale("warehouse", f"{said}, but not, by this version, from what the files say now. {_REBUILT}")


def _shut(data: DataDirectory, error: str) -> Finding:
    if "lock" in error:
        holder = _HELD_BY.search(error)
        by = f" by {holder.group(1)}" if holder else ""
        return note(
            "warehouse",
            f"is open for writing elsewhere{by}, which shuts other readers out; licenses sql reads it all the same, "
            "and runs are not held up. Open it read-only there.",
        )
    return stale("warehouse", f"{data.warehouse} cannot be read: {error[:200]} {_REBUILT}")
