"""A copy of an instance whose storage lies in its home's SQLite files, to be asked in the instance's place.

Asking the instance itself would write: Dagster makes what is missing, and SQLite puts its -wal and -shm files beside
a database even to read it.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

COPY_ATTEMPTS = 5
_SCHEDULES, _RUNS, _LOGS = Path("schedules/schedules.db"), Path("history/runs.db"), Path("history/runs")
_EVENTS = _LOGS / "index.db"


class NothingThere(Exception):
    """Neither runs nor schedules are kept where they were looked for."""


@dataclass(frozen=True)
class InstanceCopy:
    """The copy, without the logs of single runs: there may be thousands."""

    opened: dg.DagsterInstance
    _home: Path
    _place: Path

    def bring_log(self, run_id: str) -> None:
        """Copy one run's log, too, where there is one."""
        with suppress(OSError):
            _copy(_LOGS / f"{run_id}.db", self._home, self._place)


def damaged_file(home: Path) -> str | None:
    """Which file Dagster could not open, so that no run begins.

    Raises:
        OSError: one cannot be read.
    """
    for database in (home / name for name in (_SCHEDULES, _RUNS, _EVENTS)):
        if database.exists() and not _is_whole(database):
            return f"{database.name} is cut or overwritten"
    return None


@contextmanager
def copied(home: Path) -> Iterator[InstanceCopy]:
    """The copy, opened, until the block is left.

    Raises:
        NothingThere: there are no files to copy.
        OSError: they cannot be read.
    """
    with TemporaryDirectory(prefix="licenses-check-") as scratch:
        place = Path(scratch)
        try:
            for name in (_SCHEDULES, _RUNS):
                _copy(name, home, place)
        except FileNotFoundError as error:
            raise NothingThere from error
        with dg.DagsterInstance.local_temp(scratch) as opened:
            yield InstanceCopy(opened, home, place)


def _is_whole(database: Path) -> bool:
    """Whether a file begins as SQLite's do and is as long as it says there (SQLite's file format, section 1.3)."""
    with database.open("rb") as file:
        head = file.read(100)
    if not head:
        return True  # one that is yet to be filled
    page = int.from_bytes(head[16:18]) if head[16:18] != b"\0\1" else 65536
    return head.startswith(b"SQLite format 3\0") and database.stat().st_size >= page * int.from_bytes(head[28:32])


def _copy(name: Path, home: Path, place: Path) -> None:
    """A database and its log; a daemon may write meanwhile."""
    database, copy = home / name, place / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(COPY_ATTEMPTS):
        before = _stamp(database)
        _copy_with_log(database, copy)
        # Frames of the log that came meanwhile do no harm; a database that took them in does.
        if _stamp(database) == before:
            break


def _stamp(database: Path) -> tuple[int, int]:
    status = database.stat()
    return status.st_mtime_ns, status.st_size


def _copy_with_log(database: Path, copy: Path) -> None:
    shutil.copyfile(database, copy)
    log, copied_log = (path.with_name(f"{path.name}-wal") for path in (database, copy))
    copied_log.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        shutil.copyfile(log, copied_log)
