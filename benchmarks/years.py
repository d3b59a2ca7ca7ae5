"""A past on disk that is written once: the warehouse of a shorter one is made from links to its first days, and one
more night is published on a fresh folder of links each time. It lies in memory where there is room.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from assets.layout import COVERAGE, SNAPSHOTS, USAGE, DataDirectory, day_files
from benchmarks.measuring import PROJECT, Groups, Measured, child, in_turns
from benchmarks.sizes import Sizes

LAST = date(2026, 4, 14)
"""The history's last day: the one that the cookbook's questions are about."""
DATASETS = (SNAPSHOTS, USAGE, COVERAGE)
IN_MEMORY = Path("/dev/shm")
BYTES_A_ROW = 60
"""Of files, for a holder's day, with the warehouses that are built of them."""


@dataclass(frozen=True)
class Past:
    """The nights of one organization, one more than the longest history has, and data directories made of them."""

    folder: Path
    sizes: Sizes

    @property
    def _whole(self) -> DataDirectory:
        return DataDirectory(self.folder / "past")

    @cached_property
    def _nights(self) -> list[list[Path]]:
        """The files of each night, oldest first."""
        datasets = [day_files(dataset, self._whole) for dataset in DATASETS]
        return [[file.path for file in night] for night in zip(*datasets, strict=True)]

    def write(self) -> None:
        first = LAST - timedelta(days=self.sizes.history - 1)
        days = max(self.sizes.marks) + 1
        written = child(sys.executable, "benchmarks.past", self._whole.root, self.sizes.holders, first, days)
        assert not written.failure, written.failure

    def data(self, days: int) -> DataDirectory:
        """Where the first days lie, and the warehouse that was built of them, if it was."""
        return DataDirectory(self.folder / str(days) / "data")

    def build(self, days: int) -> Measured:
        """The warehouse of the first days, from their files."""
        shutil.rmtree(self.data(days).root, ignore_errors=True)
        self._link(days, self.data(days))
        return _done("build", self.data(days))

    def hash(self, days: int) -> Measured:
        """The floor of `build`."""
        with TemporaryDirectory(dir=self.folder) as folder:
            data = DataDirectory(Path(folder))
            self._link(days, data)
            return _done("hash", data)

    def nights(self, marks: list[int]) -> Groups:
        """In turns: the warehouse of so many days copied, and the night after them published on top of it."""
        contestants = {}
        for days in marks:
            contestants[copy_of(days)] = partial(_done, "copy", self.data(days))
            contestants[night_after(days)] = partial(self._one_more, days)
        return in_turns(contestants, self.sizes.rounds)

    def megabytes(self, days: int) -> float:
        """Of the files of the first days."""
        return sum(path.stat().st_size for night in self._nights[:days] for path in night) / 1e6

    def _one_more(self, days: int) -> Measured:
        with TemporaryDirectory(dir=self.folder) as folder:
            data = DataDirectory(Path(folder))
            self._link(days, data)
            _link(self.data(days).warehouse, data.warehouse)
            for path in self._nights[days]:
                _link(path, data.staging("run").root / path.relative_to(self._whole.root))
            return _done("publish", data)

    def _link(self, days: int, data: DataDirectory) -> None:
        for night in self._nights[:days]:
            for path in night:
                _link(path, data.root / path.relative_to(self._whole.root))
        shutil.copytree(PROJECT / "sandbox" / "reference", data.root / "reference")


def copy_of(days: int) -> str:
    return f"copy of the warehouse of {days:,} days"


def night_after(days: int) -> str:
    return f"one more night after {days:,} days"


@contextmanager
def past(sizes: Sizes) -> Iterator[Past]:
    """One that is there as long as the block lasts."""
    room = BYTES_A_ROW * sizes.holders * (max(sizes.marks) + 1)
    has_room = os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > room
    print(f"  a past of {max(sizes.marks):,} days, {'in memory' if has_room else 'on the disk'}", flush=True)
    with TemporaryDirectory(prefix="license-bench-", dir=IN_MEMORY if has_room else None) as folder:
        one = Past(Path(folder), sizes)
        one.write()
        yield one


def _done(work: str, data: DataDirectory) -> Measured:
    return child(sys.executable, "benchmarks.contestants.history", work, data.root)


def _link(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.hardlink_to(path)
