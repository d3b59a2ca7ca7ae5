"""Daemon, schedule and runs as Dagster's own SQLite files tell them.

They are read from copies. Opening them in place would write: SQLite puts its -wal and -shm files beside a database
even to read it.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.cli.doctor.runs import UNDER_WAY, NothingThere, Question, Run, Told

COPY_ATTEMPTS = 5
_SCHEDULES, _RUNS_OF, _EVENTS = "schedules/schedules.db", "history/runs.db", "history/runs/index.db"

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


def damaged_file(home: Path) -> str | None:
    """Which file Dagster could not open, so that no run begins.

    Raises:
        OSError: one cannot be read.
    """
    for database in (home / _SCHEDULES, home / _RUNS_OF, home / _EVENTS):
        if database.exists() and not _is_whole(database):
            return f"{database.name} is cut or overwritten"
    return None


def told_by_files(home: Path, question: Question) -> Told:
    """The answers of the files in a home.

    Raises:
        NothingThere: there are none, or nothing was ever kept in them.
        OSError, sqlite3.Error: they cannot be read.
    """
    try:
        return _told(home, question)
    except (FileNotFoundError, sqlite3.OperationalError) as error:
        raise NothingThere from error


def _is_whole(database: Path) -> bool:
    """Whether a file begins as SQLite's do and is as long as it says there (SQLite's file format, section 1.3)."""
    with database.open("rb") as file:
        head = file.read(100)
    if not head:
        return True  # one that is yet to be filled
    page = int.from_bytes(head[16:18]) if head[16:18] != b"\0\1" else 65536
    return head.startswith(b"SQLite format 3\0") and database.stat().st_size >= page * int.from_bytes(head[28:32])


def _told(home: Path, question: Question) -> Told:
    with _copy(home / _SCHEDULES) as database:
        state = database.execute(_STATE, [question.schedule]).fetchone()
        tick = database.execute(_TICK, [state[1]]).fetchone() if state else None
    with _copy(home / _RUNS_OF) as database:
        heartbeat = database.execute(_HEARTBEAT).fetchone()[0]
        nights = database.execute(_RUNS.format(which="pipeline_name = ?"), [question.job])
        last_night = question.last_night(map(_run, nights))
        marks = ", ".join("?" * len(UNDER_WAY))
        under_way = [_run(row) for row in database.execute(_RUNS.format(which=f"status in ({marks})"), UNDER_WAY)]
    return Told(
        heartbeat=_instant(heartbeat) if heartbeat else None,
        state=state[0] if state else None,
        tick=(tick[0], _instant(tick[1])) if tick else None,
        last_night=last_night,
        why=tuple(_sentences(home, last_night.id)) if last_night else (),
        under_way=tuple(under_way),
    )


def _run(row: tuple[str, str, str, str | None, Any]) -> Run:
    return Run(*row[:4], _instant(row[4]))


def _sentences(home: Path, run_id: str) -> list[str]:
    """What a failed run said; nothing where its log is not there or cannot be read."""
    with suppress(OSError, sqlite3.Error), _copy(home / "history" / "runs" / f"{run_id}.db") as log:
        told = [line for (text,) in log.execute(_SENTENCES) if text for line in text.splitlines()]
        return list(dict.fromkeys(told))
    return []


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
