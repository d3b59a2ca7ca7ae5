"""Where everything lies on disk, and the only ways to put a file there (design, section 4).

Files come into being beside their place and are moved in whole; what a run has made and not yet
published waits under `staging/<run>/`, a mirror of the data directory.
"""

import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from filelock import FileLock

SNAPSHOTS = "snapshots/license_assignments"
USAGE = "usage/license_usage"
COVERAGE = "usage/usage_coverage"
CONFLICTS = "snapshots/reconstruction_conflicts"
SUPERSEDED = "superseded/license_assignments"
FINANCE = "finance"
PUBLISHED = (".parquet", ".json")
RESTATEMENTS = "restatements/license_assignments"
STALE_SECONDS = 7 * 24 * 3600.0
"""After which what a run has staged and never published is nobody's any more."""
PROJECT_REFERENCE = Path(__file__).resolve().parent.parent / "data" / "reference"


@dataclass(frozen=True)
class DataDirectory:
    """The tree under LICENSES_DATA_DIR."""

    root: Path

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def dagster_home(self) -> Path:
        return self.root / "dagster"

    @property
    def snapshots(self) -> Path:
        return self.root / SNAPSHOTS

    @property
    def usage(self) -> Path:
        return self.root / USAGE

    @property
    def coverage(self) -> Path:
        return self.root / COVERAGE

    def landing(self, organization_id: str, day: date) -> Path:
        """The folder of all observations of one organization for one day."""
        return self.root / "landing" / organization_id / day.isoformat()

    def reference(self, name: str) -> Path:
        """A reference file: the data directory's own, else the project's."""
        own = self.root / "reference" / name
        return own if own.exists() else PROJECT_REFERENCE / name

    def staging(self, run: str) -> "DataDirectory":
        """The mirror of this tree that holds what one run has not yet published."""
        return DataDirectory(self.root / "staging" / run)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One writer at a time; the lock is the kernel's, so it ends with its process, however that ends."""
        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / ".writer.lock"):
            yield


def snapshot_file(tree: DataDirectory, day: date, organization_id: str) -> Path:
    """The one Parquet file that is the snapshot of an organization and day."""
    return tree.snapshots / f"snapshot_date={day}" / f"organization_id={organization_id}" / "part.parquet"


def newest_snapshot_file(trees: Sequence[DataDirectory], day: date, organization_id: str) -> Path:
    """The snapshot of a day that there is; where several trees have it, the last one's."""
    places = (snapshot_file(tree, day, organization_id) for tree in reversed(trees))
    return next(place for place in places if place.exists())


def restatement_file(data: DataDirectory, staged: DataDirectory, day: date, organization_id: str) -> Path:
    """Where to stage the next restatement of an organization's day: they are numbered, and never replaced."""
    folder = Path(RESTATEMENTS) / f"snapshot_date={day}" / f"organization_id={organization_id}"
    number = len(list((data.root / folder).glob("*.parquet"))) + 1
    return staged.root / folder / f"{number:04}.parquet"


def conflicts_file(tree: DataDirectory, base_date: date, organization_id: str) -> Path:
    """What contradicted itself when days were rolled back from the snapshot of `base_date`."""
    return tree.root / CONFLICTS / f"base_date={base_date}" / f"organization_id={organization_id}" / "part.parquet"


def usage_file(dataset: Path, day: date, organization_id: str) -> Path:
    """What the observation for one snapshot day said of usage: `dataset` is `usage` or `coverage`."""
    return dataset / f"observed_day={day}" / f"organization_id={organization_id}" / "part.parquet"


def files_before(datasets: Iterable[Path], organization_id: str, day: date) -> list[Path]:
    """One organization's usage files of earlier days, oldest first; where two trees have a day, the later tree's."""
    found = {
        path.parent.parent.name.removeprefix("observed_day="): path
        for dataset in datasets
        for path in dataset.glob(f"observed_day=*/organization_id={organization_id}/part.parquet")
    }
    return [found[key] for key in sorted(found) if key < day.isoformat()]


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a place beside `path` to write to; it becomes `path`, fsynced, only when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def publishing(staged: DataDirectory, target: DataDirectory, datasets: tuple[str, ...]) -> Iterator[list[Path]]:
    """Move the staged files of `datasets` into place, each atomically; yield where they went.

    If the block fails, everything is put back as it was. A snapshot that is replaced stays under `superseded/`.
    """
    undo: list[tuple[Path, Path, Path | None]] = []
    try:
        for dataset in datasets:
            for source in sorted(path for path in (staged.root / dataset).rglob("*") if path.suffix in PUBLISHED):
                place = target.root / source.relative_to(staged.root)
                undo.append((source, place, _set_aside(target, place)))
                place.parent.mkdir(parents=True, exist_ok=True)
                source.replace(place)
                sync(place.parent)
        yield [place for _, place, _ in undo]
    except BaseException:
        for source, place, aside in reversed(undo):
            if place.exists() and not source.exists():
                place.replace(source)
            if aside:
                aside.replace(place)
        raise
    for _, place, aside in undo:
        if aside and not place.is_relative_to(target.snapshots):
            aside.unlink()


def _set_aside(target: DataDirectory, place: Path) -> Path | None:
    """A second name for the file that is about to be replaced, so that it can come back.

    A snapshot keeps it for good: what was once believed of a day can always be asked.
    """
    if not place.exists():
        return None
    if place.is_relative_to(target.snapshots):
        kept = target.root / SUPERSEDED / place.parent.relative_to(target.snapshots)
        aside = kept / f"{len(list(kept.glob('*.parquet'))) + 1:04}.parquet"
    else:
        aside = place.with_name(f".{place.name}.{uuid.uuid4().hex}.replaced")
    aside.parent.mkdir(parents=True, exist_ok=True)
    os.link(place, aside)
    sync(aside.parent)
    return aside


def sweep(data: DataDirectory) -> None:
    """Remove what killed runs left behind. Only for who holds `writing`: nobody else's half-made file can be there."""
    leftovers = [
        *data.root.glob(".warehouse.duckdb.*"),
        *(data.root / "usage").rglob(".*.replaced"),
        *(data.root / "snapshots").rglob(".*.tmp"),
    ]
    for path in leftovers:
        path.unlink(missing_ok=True)
    long_ago = time.time() - STALE_SECONDS
    for folder in (*data.root.glob(".spill-*"), *(data.root / "staging").glob("*")):
        # A run that is under way may be at work in there, and one that failed may be re-executed.
        if folder.stat().st_mtime < long_ago:
            shutil.rmtree(folder, ignore_errors=True)


def discard(tree: DataDirectory) -> None:
    """Remove a staging tree; nothing in it was published."""
    shutil.rmtree(tree.root, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
