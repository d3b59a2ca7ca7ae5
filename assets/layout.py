"""Where everything lies on disk, and which names there are ours (docs/design.md, What lies on disk).

People and their tools reach the data directory, too: sooner or later copies (`part (1).parquet`, `org_1 - Copy`),
backups and a `desktop.ini` lie beside our files. What is found here is called exactly as we call it; everything else is
not ours, and neither read nor touched.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

SNAPSHOTS = "snapshots/license_assignments"
USAGE = "usage/license_usage"
COVERAGE = "usage/usage_coverage"
LAST_USE = "usage/last_use"
CONFLICTS = "snapshots/reconstruction_conflicts"
SUPERSEDED = "superseded/license_assignments"
FINANCE = "finance"
CLOSED, CLOSINGS = f"{FINANCE}/closed", f"{FINANCE}/log"
MAPPINGS = "mappings/license_types"
RESTATEMENTS = "restatements/license_assignments"
NUMBERED = (RESTATEMENTS, SUPERSEDED)
"""Datasets whose files are never replaced: 0001.parquet, 0002.parquet and so on, one for each version of a day."""
PART = "part.parquet"
FACTS_KEY = b"license_history"
"""Under which key a Parquet file of ours says in its metadata what it is."""
LANDING = "landing"
IMPORTS = "imports"
"""The folder, beside an organization's days in the landing, of what was imported."""
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

    @property
    def landings(self) -> Path:
        """Each organization's folder of what was observed or imported lies in here."""
        return self.root / LANDING

    def landing(self, organization_id: str, day: date) -> Path:
        """The folder of all observations of one organization for one day."""
        return self.landings / organization_id / day.isoformat()

    def reference(self, name: str) -> Path:
        """A reference file: the data directory's own, else the project's."""
        own = self.root / "reference" / name
        return own if own.exists() else PROJECT_REFERENCE / name

    def staging(self, run: str) -> "DataDirectory":
        """The mirror of this tree that holds what one run has not yet published."""
        return DataDirectory(self.root / "staging" / run)


def snapshot_file(tree: DataDirectory, day: date, organization_id: str) -> Path:
    """The one Parquet file that is the snapshot of an organization and day."""
    return tree.snapshots / f"snapshot_date={day}" / f"organization_id={organization_id}" / PART


def restatement_file(tree: DataDirectory, day: date, organization_id: str, number: int) -> Path:
    """What the replacement by which a day's version got its number changed; these files are never replaced."""
    folder = snapshot_file(tree, day, organization_id).parent.relative_to(tree.snapshots)
    return tree.root / RESTATEMENTS / folder / f"{number:04}.parquet"


def conflicts_file(tree: DataDirectory, base_date: date, organization_id: str) -> Path:
    """What contradicted itself when days were rolled back from the snapshot of `base_date`."""
    return tree.root / CONFLICTS / f"base_date={base_date}" / f"organization_id={organization_id}" / PART


def usage_file(dataset: Path, day: date, organization_id: str) -> Path:
    """What the observation for one snapshot day said of usage, or what was carried forward up to it: `dataset` is the
    folder of USAGE, COVERAGE or LAST_USE."""
    return dataset / f"observed_day={day}" / f"organization_id={organization_id}" / PART


class DayFile(NamedTuple):
    """One of our Parquet files: which day and organization its folders say that it is of, and its number in there.

    `number` is 0 for `part.parquet`; `bytes` and `modified_ns` are as they were when it was listed. Whoever reads the
    facts in it must find the same day and organization: else it is somebody's copy of a folder.
    """

    day: date
    organization_id: str
    number: int
    place: str
    bytes: int
    modified_ns: int

    @property
    def path(self) -> Path:
        return Path(self.place)


def day_files(dataset: str, *trees: DataDirectory, organization_id: str | None = None) -> list[DayFile]:
    """The dataset's files by day, organization and number; where two trees have the same, the later tree's.

    `dataset` is SNAPSHOTS, USAGE, COVERAGE, LAST_USE, CONFLICTS, RESTATEMENTS or SUPERSEDED.
    """
    found = {
        (file.day, file.organization_id, file.number): file
        for tree in trees
        for file in _day_files(tree.root / dataset, organization_id, numbered=dataset in NUMBERED)
    }
    return [found[key] for key in sorted(found)]


def files_of_day(dataset: str, day: date, tree: DataDirectory) -> list[DayFile]:
    """The dataset's files of one day, by organization and number."""
    folders = [folder for folder in _days(tree.root / dataset) if folder.day == day]
    found = (file for folder in folders for file in _of_day(folder, None, numbered=dataset in NUMBERED))
    return sorted(found)


def numbered_files(folder: Path, suffix: str) -> list[tuple[int, Path]]:
    """Our files in a folder that are called by their number, such as `0001.json`, in its order."""
    found = ((_NUMBER.fullmatch(path.stem), path) for path in listed(folder) if path.suffix == suffix)
    return sorted((int(named[0]), path) for named, path in found if named)


def organization_folders(landings: Path) -> list[Path]:
    """The folders in `landing/`, each called by its organization's id, in its order."""
    return sorted(path for path in listed(landings) if _ID.fullmatch(path.name) and path.is_dir())


def observation_folders(parent: Path) -> list[Path]:
    """The observations in a folder of them, such as `20260602T020000Z-001`, oldest first."""
    return sorted(path for path in listed(parent) if _OBSERVATION.fullmatch(path.name) and path.is_dir())


_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_ORGANIZATION = re.compile(rf"organization_id=({_ID.pattern})")
_DAY = re.compile(r"(?:snapshot_date|observed_day|base_date)=(\d{4}-\d{2}-\d{2})")
_NUMBER = re.compile(r"\d{4,}")
_OBSERVATION = re.compile(r"\d{8}T\d{6}Z-\d{3,}")


class _Day(NamedTuple):
    day: date
    folder: str


def _day_files(dataset: Path, organization_id: str | None, *, numbered: bool = False) -> Iterator[DayFile]:
    for day in _days(dataset):
        yield from _of_day(day, organization_id, numbered=numbered)


def _days(dataset: Path) -> Iterator[_Day]:
    for name in _names(dataset):
        if (named := _DAY.fullmatch(name)) and (day := _date(named[1])):
            yield _Day(day, f"{dataset}/{name}")


def _of_day(place: _Day, organization_id: str | None, *, numbered: bool) -> Iterator[DayFile]:
    names = _names(place.folder) if organization_id is None else [f"organization_id={organization_id}"]
    for named in filter(None, map(_ORGANIZATION.fullmatch, names)):
        folder = f"{place.folder}/{named[0]}"
        files = numbered_files(Path(folder), ".parquet") if numbered else [(0, f"{folder}/{PART}")]
        for number, file in files:
            with suppress(FileNotFoundError, NotADirectoryError):
                # Each night looks at years of them: to make a Path of each would cost more than the look.
                stat = os.stat(file)  # noqa: PTH116
                yield DayFile(place.day, named[1], number, str(file), stat.st_size, stat.st_mtime_ns)


def listed(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where there is none."""
    return [folder / name for name in _names(folder)]


def _names(folder: Path | str) -> list[str]:
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        return [entry.name for entry in entries]
    return []


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
