"""Every file that a night reads, by its footer or manifest; what runs left that were killed, and what is not ours."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from assets.engine import SPILL
from assets.errors import CopiedFile, LicenseHistoryError
from assets.extraction.landing import MANIFEST, read_manifest
from assets.files.atomic import TEMPORARY
from assets.files.damaged import damaged, footer
from assets.files.publishing import hidden_files
from assets.finance.closings import require_as_signed
from assets.history.mappings import kept_mappings
from assets.layout import (
    CONFLICTS,
    COVERAGE,
    LAST_USE,
    MAPPINGS,
    RESTATEMENTS,
    SNAPSHOTS,
    SUPERSEDED,
    USAGE,
    DataDirectory,
    day_files,
    observation_folders,
    organization_folders,
)
from assets.snapshots.restatement import read_restatement
from assets.snapshots.snapshot import organizations_known, read_facts
from pipelines.cli.doctor.findings import Finding, Mark, listed, note, ok, problem

SHOWN = 10
_FOOTERS: dict[str, Callable[[Path], object]] = {
    SNAPSHOTS: read_facts,
    USAGE: footer,
    COVERAGE: footer,
    RESTATEMENTS: read_restatement,
    SUPERSEDED: footer,
    CONFLICTS: footer,
    MAPPINGS: footer,
}
"""The datasets, and how the end of a file is read, with what a night wants to know from it."""

_OF_DAYS = (*(dataset for dataset in _FOOTERS if dataset != MAPPINGS), LAST_USE)


def examine_files(data: DataDirectory) -> Iterator[Finding]:
    """What is damaged, with the command that mends it, or how much could be read; and what nobody needs."""
    known = set(organizations_known(data))
    found = [(dataset, file) for dataset in _OF_DAYS for file in day_files(dataset, data)]
    ours = [(dataset, file.path) for dataset, file in found if file.organization_id in known]
    ours += [(MAPPINGS, path) for path in kept_mappings(data)]
    # Of last use carried forward nothing is lost with a file: the next night tells it anew.
    read = [one for one in ours if one[0] in _FOOTERS]
    broken = [finding for one in read if (finding := _damage(*one))]
    broken += _finance(data)
    yield from broken[:SHOWN]
    if len(broken) > SHOWN:
        yield problem("damaged files", f"and {len(broken) - SHOWN:,} more.")
    if read and all(one.mark is Mark.NOTE for one in broken):
        yield ok("files", f"the footers of {len(read) - len(broken):,} Parquet files can be read.")
    yield from _manifests(data)
    yield from _told("leftovers", "of runs that were killed or are at work", _leftovers(data), data)
    yield from _told("not ours", "passed over", _strays(data, {path for _, path in ours}), data)


def _damage(dataset: str, path: Path) -> Finding | None:
    try:
        _FOOTERS[dataset](path)
    except CopiedFile as error:
        return note("copied file", f"{error} Nights pass it over.")
    except LicenseHistoryError as error:
        return problem("damaged file", str(error))
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        return problem("damaged file", str(damaged(path, error)))
    return None


def _finance(data: DataDirectory) -> Iterator[Finding]:
    """What was signed, as it was signed: without it no warehouse is built."""
    try:
        require_as_signed(data)
    except LicenseHistoryError as error:
        yield problem("signed months", str(error))


def _manifests(data: DataDirectory) -> Iterator[Finding]:
    """An observation whose manifest is damaged is passed over: its day cannot be derived again from it."""
    unreadable = [
        folder / MANIFEST
        for organization in organization_folders(data.landings)
        for part in organization.iterdir()
        for folder in observation_folders(part)
        if (folder / MANIFEST).exists() and read_manifest(folder) is None
    ]
    yield from _told(
        "landing", "cannot be read, so that what was observed then cannot be derived again", iter(unreadable), data
    )


def _leftovers(data: DataDirectory) -> Iterator[Path]:
    """What the next run finishes or removes."""
    yield from data.root.glob(f".{data.warehouse.name}.*")
    yield from data.root.glob(f"{SPILL}*")
    yield from (data.root / "staging").glob("*")
    yield from (path for path in hidden_files(data) if TEMPORARY.fullmatch(path.name) or path.name.endswith(".pending"))


def _strays(data: DataDirectory, ours: set[Path]) -> Iterator[Path]:
    """What lies among our files and was not put there by a run."""
    for dataset in _OF_DAYS:
        for folder, _, names in os.walk(data.root / dataset):
            places = (Path(folder) / name for name in names if not name.startswith("."))
            yield from (place for place in places if place not in ours)


def _told(subject: str, what: str, places: Iterator[Path], data: DataDirectory) -> Iterator[Finding]:
    if names := [str(place.relative_to(data.root)) for place in sorted(places)]:
        yield note(subject, f"{what}: {listed(names, SHOWN)}.")
