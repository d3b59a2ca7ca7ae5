"""Stored files of ours that cannot be read: how they are found, what each costs, and the command that mends it.

One of them stops only what needs that very file. Whoever reads many goes on without it, takes what it said for not
known, and names it.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from assets.engine import literal, shortage
from assets.errors import DamagedFile
from assets.layout import (
    CONFLICTS,
    COVERAGE,
    IMPORTS,
    RESTATEMENTS,
    SNAPSHOTS,
    SUPERSEDED,
    USAGE,
    DataDirectory,
    day_files,
    observation_folders,
)

_COSTS = {
    SNAPSHOTS: "who held what on {day} in {organization} stays as the warehouse knew it, else it is a gap",
    USAGE: "what the reports then told {organization} of use is not known, so silence in them proves nothing",
    COVERAGE: "how far the reports then reached for {organization} is not known, so they are asked again from further "
    "back, and silence in them proves nothing",
    CONFLICTS: "what contradicted itself on the way back from {day} in {organization} is not shown",
    RESTATEMENTS: "what was believed of {day} in {organization} before it was replaced cannot be told",
    SUPERSEDED: "what was known of {day} in {organization} before it was replaced cannot be told",
}
_NEEDED = {
    SNAPSHOTS: frozenset({"holder_type", "holder_id", "provenance"}),
    USAGE: frozenset({"usage_date", "source", "holder_type", "holder_id", "used_at"}),
    COVERAGE: frozenset({"source", "endpoint", "holder_type", "covered_from", "covered_to"}),
}
"""What a file of every version has."""
_TO_THE_END = "select max(hash(file)) from read_parquet($path, hive_partitioning = false) as file"
_RESTORE = "Put it back from a backup; without one, move it away."


def footer(path: Path) -> pq.FileMetaData:
    """What stands at the end of a Parquet file: most damage shows there, and reading it costs next to nothing.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedFile: it is there and cannot be read.
    """
    try:
        metadata = pq.read_metadata(path)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from None
    if missing := _NEEDED.get(_place(path).dataset, frozenset()) - set(metadata.schema.names):
        raise damaged(path, f"it is no file of ours: it has no {', '.join(sorted(missing))}")
    return metadata


def readable(paths: Iterable[Path]) -> tuple[list[Path], list[DamagedFile]]:
    """Those of the files whose footers can be read, and what is to be said of the others."""
    good: list[Path] = []
    bad: list[DamagedFile] = []
    for path in paths:
        try:
            footer(path)
            good.append(path)
        except DamagedFile as one:
            bad.append(one)
        except FileNotFoundError:
            continue
    return good, bad


def unreadable(paths: Iterable[Path]) -> list[DamagedFile]:
    """What is to be said of those files that cannot be read to their end. Slow: for when the engine has failed."""
    found = []
    with duckdb.connect(":memory:") as connection:
        for path in paths:
            try:
                footer(path)
                connection.execute(_TO_THE_END, {"path": literal(path)})
            except DamagedFile as one:
                found.append(one)
            except FileNotFoundError:
                continue
            except duckdb.Error as error:
                if shortage(error):
                    raise
                found.append(damaged(path, error))
    return found


@contextmanager
def naming(paths: Collection[Path]) -> Iterator[None]:
    """While these files are read, a failure of the engine is the first damaged one's, if any is.

    Raises:
        DamagedFile: one of them cannot be read.
    """
    try:
        yield
    except duckdb.Error as error:
        for one in [] if shortage(error) else unreadable(paths):
            raise one from None
        raise


def damaged_files(organization_id: str, *trees: DataDirectory) -> list[DamagedFile]:
    """What is to be said of an organization's snapshots, usage and coverage files whose footers cannot be read; of a
    file that several trees have, only the last one's counts."""
    return readable(files_of_nights(organization_id, *trees))[1]


def files_of_nights(organization_id: str, *trees: DataDirectory) -> list[Path]:
    """An organization's snapshots, usage and coverage files."""
    return [
        file.path
        for dataset in (SNAPSHOTS, USAGE, COVERAGE)
        for file in day_files(dataset, *trees, organization_id=organization_id)
    ]


def damaged(path: Path, why: object) -> DamagedFile:
    """What is to be said of a file of ours, by where it lies."""
    place = _place(path)
    costs = _COSTS.get(place.dataset, "what it tells is not known")
    try:
        with path.open("rb") as file:
            reason = why if isinstance(why, str) else "it is cut or overwritten" if file.read(1) else "it is empty"
    except PermissionError:
        mended_by, reason = "Let the account that runs this read it (chmod, chown).", "this account may not"
    except OSError as error:
        mended_by, reason = f"Remove what lies there first. {_mended_by(place)}", (error.strerror or str(error)).lower()
    else:
        mended_by = _mended_by(place)
    return DamagedFile(path, costs.format(day=place.day, organization=place.organization_id), mended_by, why=reason)


class _Place(NamedTuple):
    """What the folders above a file say of it."""

    dataset: str
    day: date | None
    organization_id: str
    data: DataDirectory


def _place(path: Path) -> _Place:
    folders = path.parts[:-1]
    with suppress(ValueError, IndexError):
        day = date.fromisoformat(folders[-2].partition("=")[2])
        organization_id = folders[-1].removeprefix("organization_id=")
        return _Place("/".join(folders[-4:-2]), day, organization_id, DataDirectory(Path(*folders[:-4])))
    return _Place("", None, "", DataDirectory(path.parent))


class _Manifest(Struct):
    """Of an observation's manifest, whether it can be derived from."""

    complete: bool = False


def _is_complete(observation: Path) -> bool:
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((observation / "manifest.json").read_bytes(), type=_Manifest).complete
    return False


def _mended_by(place: _Place) -> str:
    """The command that makes the file anew, out of the best source that there is."""
    dataset, day, organization_id, data = place
    if day is None or dataset not in (SNAPSHOTS, USAGE, COVERAGE):
        return _RESTORE
    backfill = f"licenses backfill --from {day} --to {day} --replace --source"
    if any(map(_is_complete, observation_folders(data.landing(organization_id, day)))):
        return f"{backfill} replay makes it anew from the landing."
    if dataset != SNAPSHOTS:
        return _RESTORE
    if kept := sorted((data.landings / organization_id / IMPORTS).glob(f"{day}-*")):
        return f"licenses import --day {day} --organization {organization_id} of the file in {kept[-1]} makes it anew."
    return f"{backfill} reconstruct makes it anew from the Activity Feed, where that reaches back so far."
