"""Is the nightly schedule alive, how did the last night end, and is a run dead: what Dagster's own SQLite files say.

They are read from copies. Opening them in place would write: SQLite puts its -wal and -shm files beside a database
even to read it.
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

from assets.days import yesterday
from assets.layout import DataDirectory
from pipelines.cli.doctor.findings import Finding, note, ok, problem, stale
from pipelines.instance import storage_failed
from pipelines.jobs import NIGHTLY
from pipelines.schedule import SCHEDULE
from pipelines.schedule import UNDER_WAY as STATUSES

SILENT_AFTER = timedelta(minutes=5)
"""The daemon gives a sign of life every half minute."""

COPY_ATTEMPTS = 5
_SCHEDULES, _RUNS_OF, _EVENTS = "schedules/schedules.db", "history/runs.db", "history/runs/index.db"
UNDER_WAY = [status.value for status in STATUSES]

_START = "Start it with: licenses ui (or make ui), and keep it running."
_HEARTBEAT = "select max(timestamp) from daemon_heartbeats where daemon_type = 'SCHEDULER'"
_STATE = """
    select status, selector_id from instigators
    where instigator_type = 'SCHEDULE' and json_extract(instigator_body, '$.origin.job_name') = ?
    order by update_timestamp desc limit 1
"""
_TICK = "select status, timestamp from job_ticks where selector_id = ? order by timestamp desc limit 1"
_RUNS = """
    select run_id, pipeline_name, status, partition, update_timestamp from runs where {which} order by id desc
"""
_SENTENCES = """
    select json_extract(event, '$.dagster_event.event_specific_data.user_failure_data.description')
    from event_logs where dagster_event_type = 'STEP_FAILURE' order by id
"""


@dataclass(frozen=True)
class _Run:
    """One run in Dagster's words; `day` is None where it was for several days or for none."""

    id: str
    job: str
    status: str
    day: str | None
    at: datetime


@dataclass(frozen=True)
class _Told:
    """What the files say; instants are UTC, texts are Dagster's words. A daemon that never ran knows no schedule.

    `last_night` is the latest ended run for a day that is over: a provisional snapshot is no night.
    """

    heartbeat: datetime | None
    state: str | None
    tick: tuple[str, datetime] | None
    last_night: _Run | None
    under_way: list[_Run]


def examine_schedule(data: DataDirectory, now: datetime, wall: datetime) -> Iterator[Finding]:
    """The daemon, the schedule, how the last night ended, and what is under way or dead.

    `now` is the pipeline's clock, `wall` the machine's: heartbeats know no other.
    """
    home = data.dagster_home
    if not home.exists():
        yield note("daemon", f"nothing has been scheduled from here yet. {_START}")
        return
    if broken := _settings(home) or _databases(data, home):
        yield broken
        return
    try:
        told = _told(home, yesterday(now).isoformat())
    except (FileNotFoundError, sqlite3.OperationalError):
        yield note(
            "daemon", f"in {home} nothing stands of runs and schedules yet; if its storage was moved, look there."
        )
        return
    except (OSError, sqlite3.Error) as error:
        yield problem("Dagster", str(storage_failed(data, error)))
        return
    yield _daemon(told, wall)
    if told.state:
        yield _schedule(told)
    yield from _last_night(told, home)
    yield from (_under_way(run, home) for run in told.under_way)


def _settings(home: Path) -> Finding | None:
    """Whether Dagster understands its `dagster.yaml`, which people may edit."""
    from dagster._core.instance.config import dagster_instance_config

    try:
        dagster_instance_config(str(home))
    except Exception as error:  # whatever the library makes of it
        said = " ".join(str(error).split())[:300] or type(error).__name__
        place = home / "dagster.yaml"
        return problem("Dagster", f"{place} cannot be used ({said}), so no run begins: mend it, or remove it.")
    return None


def _databases(data: DataDirectory, home: Path) -> Finding | None:
    """Whether Dagster could open what it keeps here: else no run begins."""
    try:
        for database in (home / _SCHEDULES, home / _RUNS_OF, home / _EVENTS):
            if database.exists() and not _is_whole(database):
                raise sqlite3.DatabaseError(f"{database.name} is cut or overwritten")
    except (OSError, sqlite3.Error) as error:
        return problem("Dagster", str(storage_failed(data, error)))
    return None


def _is_whole(database: Path) -> bool:
    """Whether a file begins as SQLite's do and is as long as it says there (SQLite's file format, section 1.3)."""
    with database.open("rb") as file:
        head = file.read(100)
    if not head:
        return True  # one that is yet to be filled
    page = int.from_bytes(head[16:18]) if head[16:18] != b"\0\1" else 65536
    return head.startswith(b"SQLite format 3\0") and database.stat().st_size >= page * int.from_bytes(head[28:32])


def _told(home: Path, last_day: str) -> _Told:
    with _copy(home / _SCHEDULES) as database:
        state = database.execute(_STATE, [SCHEDULE]).fetchone()
        tick = database.execute(_TICK, [state[1]]).fetchone() if state else None
    with _copy(home / _RUNS_OF) as database:
        heartbeat = database.execute(_HEARTBEAT).fetchone()[0]
        nights = database.execute(_RUNS.format(which="pipeline_name = ? and partition <= ?"), [NIGHTLY, last_day])
        finished = [run for run in map(_run, nights) if run.status not in UNDER_WAY]
        marks = ", ".join("?" * len(UNDER_WAY))
        under_way = [_run(row) for row in database.execute(_RUNS.format(which=f"status in ({marks})"), UNDER_WAY)]
    return _Told(
        heartbeat=_instant(heartbeat) if heartbeat else None,
        state=state[0] if state else None,
        tick=(tick[0], _instant(tick[1])) if tick else None,
        last_night=finished[0] if finished else None,
        under_way=under_way,
    )


def _run(row: tuple[str, str, str, str | None, Any]) -> _Run:
    return _Run(*row[:4], _instant(row[4]))


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
    return ok("schedule", f"{SCHEDULE} is on: from 02:00 UTC on until the day is taken, while the daemon runs.{tick}")


def _last_night(told: _Told, home: Path) -> Iterator[Finding]:
    if told.last_night is None:
        return
    run = told.last_night
    what = f"for {run.day}, {run.at:%Y-%m-%d %H:%M} UTC: {run.status.lower()}"
    if run.status == "SUCCESS":
        yield ok("last nightly run", f"{what}.")
        return
    why = " ".join(_sentences(home, run.id)) or "Dagster's UI has its log (licenses ui)."
    yield stale("last nightly run", f"{what} (run {run.id}). {why} It is tried again by: licenses snapshot")


def _sentences(home: Path, run_id: str) -> list[str]:
    """What the failed run said; nothing where its log is not there or cannot be read."""
    with suppress(OSError, sqlite3.Error), _copy(home / "history" / "runs" / f"{run_id}.db") as log:
        told = [line for (text,) in log.execute(_SENTENCES) if text for line in text.splitlines()]
        return list(dict.fromkeys(told))
    return []


def _under_way(run: _Run, home: Path) -> Finding:
    for_day = f" for {run.day}" if run.day else ""
    since = f"{run.id} ({run.job}{for_day}), {run.status.lower().replace('_', ' ')} since {run.at:%Y-%m-%d %H:%M} UTC"
    match _is_dead(home / "running" / f"{run.id}.lock"):
        case True:
            return note("dead run", f"{since}, but its process is gone: whatever runs next ends it.")
        case False:
            return note("run under way", f"{since}.")
    return note(
        "run under way",
        f"{since}: it waits, is at work, or was killed; one that was killed is ended by whatever runs next, or in "
        "Dagster's UI (licenses ui).",
    )


def _is_dead(lock: Path) -> bool | None:
    """Whether the lock that a run holds while it works is free; None where there is none to ask."""
    try:
        import fcntl

        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, ImportError):
        return None
    except BlockingIOError:
        return False
    return True
