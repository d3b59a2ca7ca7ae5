"""Is the nightly schedule alive: what Dagster's own SQLite files say, read from copies.

Opening them in place would write: SQLite puts its -wal and -shm files beside a database even to read it.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assets.layout import DataDirectory
from pipelines.cli.doctor.findings import Finding, note, ok

SCHEDULE = "nightly_at_two"
JOB = "nightly"
SILENT_AFTER = timedelta(minutes=5)
"""The daemon gives a sign of life every half minute."""

COPY_ATTEMPTS = 5

_START = "Start it with: licenses ui (or make ui), and keep it running."
_HEARTBEAT = "select max(timestamp) from daemon_heartbeats where daemon_type = 'SCHEDULER'"
_STATE = """
    select status, selector_id from instigators
    where instigator_type = 'SCHEDULE' and json_extract(instigator_body, '$.origin.job_name') = ?
    order by update_timestamp desc limit 1
"""
_TICK = "select status, timestamp from job_ticks where selector_id = ? order by timestamp desc limit 1"
_RUN = """
    select status, partition, update_timestamp from runs
    where pipeline_name = ? order by id desc limit 1
"""


@dataclass(frozen=True)
class _Told:
    """What the files say; instants are UTC, texts are Dagster's words. A daemon that never ran knows no schedule."""

    heartbeat: datetime | None
    state: str | None
    tick: tuple[str, datetime] | None
    run: tuple[str, str | None, datetime] | None


def examine_schedule(data: DataDirectory, now: datetime) -> list[Finding]:
    """The daemon, the schedule, and how their last run ended. `now` is the wall clock: heartbeats know no other."""
    home = data.dagster_home
    if not home.exists():
        return [note("daemon", f"nothing has been scheduled from here yet. {_START}")]
    try:
        told = _told(home)
    except (OSError, sqlite3.Error) as error:
        return [
            note(
                "daemon",
                f"what Dagster keeps in {home} cannot be read ({error}): see its UI, or, if its storage was moved, "
                "look there.",
            )
        ]
    return [_daemon(told, now), *([_schedule(told)] if told.state else []), *_last_run(told)]


def _told(home: Path) -> _Told:
    with _copy(home / "schedules" / "schedules.db") as database:
        state = database.execute(_STATE, [SCHEDULE]).fetchone()
        tick = database.execute(_TICK, [state[1]]).fetchone() if state else None
    with _copy(home / "history" / "runs.db") as database:
        heartbeat = database.execute(_HEARTBEAT).fetchone()[0]
        run = database.execute(_RUN, [JOB]).fetchone()
    return _Told(
        heartbeat=_instant(heartbeat) if heartbeat else None,
        state=state[0] if state else None,
        tick=(tick[0], _instant(tick[1])) if tick else None,
        run=(run[0], run[1], _instant(run[2])) if run else None,
    )


@contextmanager
def _copy(database: Path) -> Iterator[sqlite3.Connection]:
    with TemporaryDirectory(prefix="licenses-check-") as scratch:
        copy = Path(scratch) / database.name
        for _ in range(COPY_ATTEMPTS):
            before = _stamp(database)
            _copy_with_log(database, copy)
            # Frames of the log that came meanwhile do no harm; a database that took them in does.
            if _stamp(database) == before:
                break
        with closing(sqlite3.connect(copy)) as connection:
            yield connection


def _stamp(database: Path) -> tuple[int, int]:
    status = database.stat()
    return status.st_mtime_ns, status.st_size


def _copy_with_log(database: Path, copy: Path) -> None:
    shutil.copyfile(database, copy)
    log, copied_log = (path.with_name(f"{path.name}-wal") for path in (database, copy))
    copied_log.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        shutil.copyfile(log, copied_log)


def _instant(text: Any) -> datetime:
    return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)


def _daemon(told: _Told, now: datetime) -> Finding:
    if told.heartbeat is None:
        return note("daemon", f"has never run here, so snapshots are taken on demand only. {_START}")
    said = f"last sign of life {told.heartbeat:%Y-%m-%d %H:%M} UTC"
    if now - told.heartbeat > SILENT_AFTER:
        return note("daemon", f"is not running ({said}): nothing is taken at night. {_START}")
    return ok("daemon", f"is running ({said}).")


def _schedule(told: _Told) -> Finding:
    tick = f" Its last tick: {told.tick[1]:%Y-%m-%d %H:%M} UTC, {told.tick[0].lower()}." if told.tick else ""
    if told.state == "STOPPED":
        return note(
            "schedule",
            f"{SCHEDULE} is switched off: switch it on in Dagster's UI (licenses ui, Automation).{tick}",
        )
    if told.tick and told.tick[0] == "FAILURE":
        return note("schedule", f"{SCHEDULE} is on, but failed.{tick} Dagster's UI shows why (licenses ui).")
    return ok("schedule", f"{SCHEDULE} is on: every night at 02:00 UTC, while the daemon runs.{tick}")


def _last_run(told: _Told) -> Iterator[Finding]:
    if told.run is None:
        return
    status, day, at = told.run
    what = f"for {day}, {at:%Y-%m-%d %H:%M} UTC: {status.lower().replace('_', ' ')}"
    if status == "SUCCESS":
        yield ok("last run", f"{what}.")
    elif status in ("FAILURE", "CANCELED"):
        yield note("last run", f"{what}. Dagster's UI has its log (licenses ui); licenses snapshot tries again.")
    else:
        yield note(
            "last run",
            f"{what}. It is under way, or was killed; one that was killed holds the others up in the UI's queue "
            "until it is terminated there.",
        )
