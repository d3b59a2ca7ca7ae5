"""The months that finance has signed, on disk: figures that never change again, and a log that only grows.

    finance/closed/month=2026-10/closing=0001/lines.parquet, adjustments.parquet
    finance/log/0001.json

Each entry of the log is a file of its own, holds the hash of the one before it and, for a closing, those of its
figures and of everything that they were computed from. What was changed by hand is found, and refused.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct, field

from assets.errors import PublishFailed
from assets.files.atomic import sha256_of
from assets.layout import CLOSED, CLOSINGS, FINANCE, DataDirectory, numbered_files

LINES = "lines"
ADJUSTMENTS = "adjustments"


class Event(StrEnum):
    CLOSED = "closed"
    REOPENED = "reopened"


class Entry(Struct, kw_only=True, frozen=True):
    """One closing or reopening, as it stands in the log."""

    number: int
    event: Event
    month: date
    recorded_at: datetime = field(name="at")
    recorded_by: str = field(name="by")
    reason: str | None = None
    acknowledged_gaps: list[date] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    """The files that the figures were computed from, and their contents' hashes."""
    inputs_sha256: str | None = None
    figures: dict[str, str] = field(default_factory=dict)
    """The frozen files' hashes."""
    previous_sha256: str | None = None


@dataclass(frozen=True)
class Log:
    """All entries in order, and the hash that the next one must hold."""

    entries: tuple[Entry, ...]
    sha256: str | None

    def in_force(self) -> dict[date, Entry]:
        """The closing that holds, for each month that is closed now."""
        last = {entry.month: entry for entry in self.entries}
        return {month: entry for month, entry in last.items() if entry.event is Event.CLOSED}


def read_log(*trees: DataDirectory) -> Log:
    """The log as it stands in these trees together.

    Raises:
        PublishFailed: an entry is missing, or was changed.
    """
    paths = log_files(*trees)
    entries: list[Entry] = []
    before: str | None = None
    for number, path in enumerate(paths, start=1):
        contents = path.read_bytes()
        try:
            entry = msgspec.json.decode(contents, type=Entry)
        except msgspec.DecodeError as error:
            raise _changed(path, f"it cannot be read: {error}") from None
        if (entry.number, entry.previous_sha256, path.stem) != (number, before, f"{number:04}"):
            raise _changed(path, "it does not follow upon the entry before it")
        entries.append(entry)
        before = sha256(contents).hexdigest()
    return Log(tuple(entries), before)


def log_files(*trees: DataDirectory) -> list[Path]:
    """The entries' files in their order."""
    return [path for _, path in sorted(found for tree in trees for found in numbered_files(_folder(tree), ".json"))]


def entry_file(tree: DataDirectory, number: int) -> Path:
    return _folder(tree) / f"{number:04}.json"


def figures_file(tree: DataDirectory, month: date, number: int, name: str) -> Path:
    """Where a closing's figures lie: `name` is LINES or ADJUSTMENTS."""
    return tree.root / CLOSED / f"month={month:%Y-%m}" / f"closing={number:04}" / f"{name}.parquet"


def figures_in_force(log: Log, name: str, *trees: DataDirectory) -> list[Path]:
    """The frozen files of all closed months, each found as it was signed.

    Raises:
        PublishFailed: one is missing, or was changed.
    """
    return [_signed(entry, name, trees) for _, entry in sorted(log.in_force().items())]


def require_as_signed(*trees: DataDirectory) -> None:
    """Read the log and every figure in force.

    Raises:
        PublishFailed: one is missing, or was changed.
    """
    log = read_log(*trees)
    for name in (LINES, ADJUSTMENTS):
        figures_in_force(log, name, *trees)


def _signed(entry: Entry, name: str, trees: tuple[DataDirectory, ...]) -> Path:
    places = [figures_file(tree, entry.month, entry.number, name) for tree in trees]
    path = next((place for place in places if place.exists()), places[0])
    if not path.exists():
        raise _changed(path, f"it is missing, though {entry.month:%Y-%m} was closed with it")
    if sha256_of(path) != entry.figures[name]:
        raise _changed(path, f"it is not what {entry.recorded_by} signed on {entry.recorded_at:%Y-%m-%d}")
    return path


def _changed(path: Path, why: str) -> PublishFailed:
    return PublishFailed(
        f"{path}: {why}. What was signed must not change: put the file back from a backup, or remove the whole folder "
        f"{FINANCE}/ to begin anew. The old warehouse stands."
    )


def _folder(tree: DataDirectory) -> Path:
    return tree.root / CLOSINGS
