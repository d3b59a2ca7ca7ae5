"""The data directory: can it be written, what is in it, and is that up to date."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from assets.assignments.reference import LICENSE_TYPES, license_types
from assets.assignments.snapshot import SnapshotFacts, read_facts, snapshot_days
from assets.days import end_of, yesterday
from assets.errors import BadReference
from assets.layout import DataDirectory, snapshot_file
from pipelines.cli.doctor.findings import Finding, note, ok, problem
from pipelines.cli.snapshot import summary

DUE = timedelta(hours=3)
"""After midnight: the nightly run starts at 02:00 UTC, and an hour is enough for it."""

GAP_DAYS = 30
SPARE_BYTES = 200_000_000

_UNREADABLE = (OSError, pa.ArrowException, KeyError, ValueError, msgspec.MsgspecError)
_HELD_BY = re.compile(r"lock is held in (.+? \(PID \d+\))")


@dataclass(frozen=True)
class Expected:
    """Which organizations should have snapshots: titles by id, and whether no other one can be among the keys."""

    titles: Mapping[str, str]
    everyone: bool


def examine_folder(data: DataDirectory, expected: Expected, now: datetime) -> list[Finding]:
    """The state of the directory, its snapshots and its warehouse."""
    root = data.root
    there = next(place for place in (root, *root.parents) if place.exists())
    if not there.is_dir():
        return [problem("place", f"{there} is a file, not a directory: choose another LICENSES_DATA_DIR.")]
    found = [_place(data, there), _space(data, there), _reference(data)]
    if there == root:
        found += [*_snapshots(data, expected, now), *_warehouse(data)]
    return found


def _place(data: DataDirectory, there: Path) -> Finding:
    """`there` is the data directory, or the nearest folder above it that exists."""
    locked = _not_writable(data) if there == data.root else [there] if not _writable(there) else []
    if locked:
        return problem(
            "place",
            f"{locked[0]} cannot be written by this user ({_user()}), so no snapshot can be put into {data.root}: "
            "give it to this user (chown -R), or choose another LICENSES_DATA_DIR.",
        )
    if there != data.root:
        return note("place", f"{data.root} is not there yet; the first snapshot makes it: licenses snapshot")
    return ok("place", f"{data.root} is there and can be written.")


def _not_writable(data: DataDirectory) -> list[Path]:
    """What a run has to write to and cannot; the reference files are only read."""
    root = data.root
    folders = (place for place in chain([root], root.glob("*"), root.glob("*/*")) if place.is_dir())
    files = (place for place in (root / ".writer.lock", *data.dagster_home.glob("*/*.db")) if place.exists())
    own = (place for place in folders if place.relative_to(root).parts[:1] != ("reference",))
    return sorted(place for place in chain(own, files) if not _writable(place))


def _writable(place: Path) -> bool:
    return os.access(place, os.W_OK | (os.X_OK if place.is_dir() else 0))


def _user() -> str:
    return os.environ.get("USER") or (f"uid {os.getuid()}" if hasattr(os, "getuid") else "this one")


def _space(data: DataDirectory, there: Path) -> Finding:
    """A run builds the new warehouse beside the old one."""
    free = shutil.disk_usage(there).free
    size = data.warehouse.stat().st_size if data.warehouse.exists() else 0
    needed = 2 * size + SPARE_BYTES
    if free < needed:
        return problem(
            "space",
            f"{_megabytes(free)} free, and a run may need {_megabytes(needed)}, as the new warehouse is built beside "
            "the old one: make room, or choose another LICENSES_DATA_DIR.",
        )
    return ok("space", f"{_megabytes(free)} free.")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _reference(data: DataDirectory) -> Finding:
    path = data.reference(LICENSE_TYPES)
    try:
        roles = license_types(path)
    except BadReference as error:
        return problem("license types", f"{error} Mend {path}: without it no snapshot can be derived.")
    return ok("license types", f"{roles.num_rows} roles in {path}.")


def _snapshots(data: DataDirectory, expected: Expected, now: datetime) -> Iterator[Finding]:
    folders = data.snapshots.glob("snapshot_date=*/organization_id=*")
    on_disk = sorted({folder.name.removeprefix("organization_id=") for folder in folders})
    for organization in on_disk:
        if days := set(snapshot_days(data, organization)):
            wanted = organization in expected.titles or not expected.everyone
            yield from _history(data, organization, days, now, wanted=wanted)
    for organization in sorted(expected.titles.keys() - set(on_disk)):
        yield note("snapshots", f"none yet of {expected.titles[organization]}: take the first with: licenses snapshot")
    if not on_disk and not expected.titles:
        yield note("snapshots", "none yet: once a key works, take the first with: licenses snapshot")


def _history(
    data: DataDirectory, organization: str, days: set[date], now: datetime, *, wanted: bool
) -> Iterator[Finding]:
    last = max(days)
    path = snapshot_file(data, last, organization)
    try:
        facts = read_facts(path)
    except _UNREADABLE as error:
        yield problem(
            "snapshots",
            f"{path} cannot be read ({type(error).__name__}): put it back from a backup, or move it away and take "
            f"the snapshot again if {last} is yesterday or today.",
        )
        return
    if facts is None:
        return
    said = " ".join(summary(facts).split())
    yield (note if facts.unknown or facts.unmapped else ok)("last snapshot", said)
    if not wanted:
        yield note("not watched", f"none of the keys belongs to {facts.title}: its snapshots end with {last}.")
        return
    yield from _missing(facts, days, now)


def _missing(facts: SnapshotFacts, days: set[date], now: datetime) -> Iterator[Finding]:
    """What is due and not there: yesterday can still be taken, earlier days cannot."""
    due, takeable = yesterday(now - DUE), yesterday(now)
    name = facts.organization_name or facts.organization_id
    if due > max(days):
        yield note("stale", f"{name}: {due} was due and is not there. {_remedy(due, takeable)}")
    elif due == facts.snapshot_date and not facts.is_final:
        yield note(
            "provisional",
            f"{name}: {due} is over, and its closing snapshot was not taken. {_remedy(due, takeable)}",
        )
    first = max(min(days), due - timedelta(days=GAP_DAYS - 1))
    gaps = [day for day in _days(first, due) if day not in days and day != takeable]
    if not gaps:
        yield ok("gaps", f"none in the last {GAP_DAYS} days of {name}.")
        return
    yield note(
        "gaps",
        f"{name}: no snapshot for {len(gaps)} of the last {GAP_DAYS} days ({_ranges(gaps)}). The API tells only the "
        "present, so they can no longer be observed.",
    )


def _remedy(due: date, takeable: date) -> str:
    if due != takeable:
        return f"It can no longer be observed; {takeable} can: licenses snapshot"
    return f"It can be taken until {end_of(takeable + timedelta(days=1)):%Y-%m-%d %H:%M} UTC: licenses snapshot"


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def _ranges(days: Iterable[date]) -> str:
    stretches: list[list[date]] = []
    for day in days:
        if stretches and stretches[-1][-1] == day - timedelta(days=1):
            stretches[-1].append(day)
        else:
            stretches.append([day])
    return ", ".join(f"{one[0]} to {one[-1]}" if len(one) > 1 else str(one[0]) for one in stretches)


def _warehouse(data: DataDirectory) -> Iterator[Finding]:
    if not data.warehouse.exists():
        yield note("warehouse", f"{data.warehouse} is not there yet; the first snapshot makes it.")
        return
    try:
        with duckdb.connect(str(data.warehouse), read_only=True) as connection:
            row = connection.execute("select max(snapshot_date) from snapshot_log").fetchone()
    except duckdb.Error as error:
        yield _warehouse_shut(data, str(error))
    else:
        yield _warehouse_read(data, row[0] if row else None)
    log = data.warehouse.with_name(f"{data.warehouse.name}.wal")
    if log.exists():
        yield note(
            "warehouse",
            f"{log.name} lies beside it: somebody has it open for writing, or had. Runs are not held up, but the "
            "next one replaces the file, and what was written there is lost: keep own tables in another file.",
        )


def _warehouse_read(data: DataDirectory, last: date | None) -> Finding:
    built = datetime.fromtimestamp(data.warehouse.stat().st_mtime, UTC)
    said = f"can be read, holds snapshots up to {last}, built {built:%Y-%m-%d %H:%M} UTC"
    newest = max((_day_of(folder) for folder in data.snapshots.glob("snapshot_date=*")), default=last)
    if newest == last:
        return ok("warehouse", f"{said}.")
    return note("warehouse", f"{said}, but there are snapshots up to {newest}: the next licenses snapshot adds them.")


def _day_of(folder: Path) -> date:
    return date.fromisoformat(folder.name.removeprefix("snapshot_date="))


def _warehouse_shut(data: DataDirectory, error: str) -> Finding:
    if "lock" in error:
        holder = _HELD_BY.search(error)
        by = f" by {holder.group(1)}" if holder else ""
        return note(
            "warehouse",
            f"is open for writing elsewhere{by}, which shuts other readers out; licenses sql reads it all the same, "
            "and runs are not held up. Open it read-only there.",
        )
    return note(
        "warehouse",
        f"{data.warehouse} cannot be read: {' '.join(error.split())[:200]} The next snapshot replaces it.",
    )
