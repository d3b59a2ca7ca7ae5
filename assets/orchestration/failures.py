"""What failed in a run while the rest went on: kept beside what the run has staged, told when it ends."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from assets.layout import DataDirectory


class Failure(Struct, frozen=True):
    """An organization whose day is missing, and the sentence that says why."""

    organization: str
    sentence: str


def record(staged: DataDirectory, failures: Iterable[Failure]) -> None:
    """Add to what failed in this run."""
    known = recorded(staged)
    fresh = [failure for failure in failures if failure not in known]
    if fresh:
        staged.root.mkdir(parents=True, exist_ok=True)
        _file(staged).write_bytes(msgspec.json.encode([*known, *fresh]))


def recorded(staged: DataDirectory) -> list[Failure]:
    """What failed in this run so far."""
    try:
        return msgspec.json.decode(_file(staged).read_bytes(), type=list[Failure])
    except FileNotFoundError:
        return []


def _file(staged: DataDirectory) -> Path:
    return staged.root / "failures.json"
