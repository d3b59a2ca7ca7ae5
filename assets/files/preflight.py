"""Can this place hold a night: looked at before anything is asked, so that no night is lost on the way to the disk.

Nothing is left behind by looking.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import accumulate, chain
from operator import truediv
from pathlib import Path
from tempfile import TemporaryFile

from assets.errors import WrongUse
from assets.layout import (
    CLOSED,
    CLOSINGS,
    CONFLICTS,
    COVERAGE,
    LANDING,
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

SPARE_BYTES = 50_000_000
SPARE_FILES = 500
DEEPEST = 240
"""How long the paths below the data directory may become: staging, an organization's id, a temporary name."""

_DATED = (SNAPSHOTS, USAGE, COVERAGE, CONFLICTS, SUPERSEDED, RESTATEMENTS)
_DAGSTER = ("dagster/history/runs", "dagster/schedules", "dagster/storage", "dagster/running")
_OURS = (*_DATED, MAPPINGS, CLOSED, CLOSINGS, "reports", LANDING, "staging/warehouse", *_DAGSTER)
"""The folders that a run may write to, each with those that it lies in."""

_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_DATABASES = ("dagster/history/runs.db", "dagster/history/runs/index.db", "dagster/schedules/schedules.db")
_LOCKS = (".writer.lock", ".night.lock", "dagster/.opening.lock")


def require_room(data: DataDirectory) -> None:
    """Refuse a data directory that could not take what a night brings.

    Raises:
        WrongUse: the first thing that is wrong with it, and what to do about it.
    """
    try:
        _require_place(data.root)
        _require_files(data)
        written = []
        for place in _written_to(data):
            _require_access(place, data.root)
            written.append(place)
        for folder in _one_per_disk(place for place in written if place.is_dir()):
            _require_space(folder, data)
            _try_to_write(folder)
    except OSError as error:
        raise WrongUse(
            f"{error.filename or data.root} cannot be used for the record: {error.strerror or error}. Mend it, or "
            "choose another LICENSES_DATA_DIR. Nothing was asked."
        ) from None


def is_new(data: DataDirectory) -> bool:
    """Whether no record has been begun here."""
    return not any(place.exists() for place in (data.warehouse, data.landings, data.root / "snapshots"))


def _require_place(root: Path) -> None:
    longest = os.pathconf("/", "PC_PATH_MAX") if hasattr(os, "pathconf") else 4096
    if len(os.fsencode(root)) + DEEPEST > longest:
        raise WrongUse(f"{root} is too long a path to keep the record in: choose a shorter LICENSES_DATA_DIR.")
    if "?" in str(root) or not _is_text(root):
        raise WrongUse(
            f"{root}: DuckDB cannot keep a database where a path holds a question mark or bytes that are no UTF-8. "
            "Choose another LICENSES_DATA_DIR. Nothing was asked."
        )
    there = _nearest(root)
    if not there.is_dir():
        raise WrongUse(f"{there} is a file, not a directory: choose another LICENSES_DATA_DIR. Nothing was asked.")


def _require_files(data: DataDirectory) -> None:
    for place in (data.warehouse, *(data.root / name for name in _LOCKS)):
        if place.is_dir():
            raise WrongUse(f"{place} is a folder, where a file of ours belongs: remove it, or move it away. {_NOTHING}")


def _is_text(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _nearest(root: Path) -> Path:
    """The data directory, or the folder above it in which it would be made."""
    return next(place for place in (root, *root.parents) if place.exists())


def _written_to(data: DataDirectory) -> Iterator[Path]:
    """Every folder and file that a run may write to, as far as they exist, the outer first: of the days, the newest.

    What is called otherwise is not ours, and whose it is does not matter: `lost+found`, `@eaDir`, `.snapshot`.
    """
    root = data.root
    yield _nearest(root)
    if not root.exists():
        return
    ours = dict.fromkeys(place for name in _OURS for place in accumulate(Path(name).parts, truediv, initial=root))
    days = chain.from_iterable(_newest_of(dataset, data) for dataset in _DATED)
    folders = chain(ours, _landing(root / LANDING), days)
    yield from (place for place in folders if place.is_dir() or _points_nowhere(place))
    databases = chain.from_iterable(root.glob(f"{name}*") for name in _DATABASES)
    yield from chain(databases, (lock for name in _LOCKS if (lock := root / name).exists()))


def _landing(landing: Path) -> Iterator[Path]:
    """Each organization's folder, and those of its newest day."""
    for organization in organization_folders(landing):
        yield organization
        for newest in sorted(organization.glob(_DAY))[-1:]:
            yield from (newest, *observation_folders(newest))


def _newest_of(dataset: str, data: DataDirectory) -> Iterator[Path]:
    """The folders of a dataset's newest day."""
    files = day_files(dataset, data)
    for file in files:
        if file.day == files[-1].day:
            yield from (file.path.parent.parent, file.path.parent)


def _points_nowhere(place: Path) -> bool:
    return place.is_symlink() and not place.exists()


def _require_access(place: Path, root: Path) -> None:
    if _points_nowhere(place):
        raise WrongUse(f"{place} points to {place.readlink()}, which is not there: is that disk mounted? {_NOTHING}")
    wanted = os.R_OK | os.W_OK | (os.X_OK if place.is_dir() else 0)
    if os.access(place, wanted, effective_ids=os.access in os.supports_effective_ids):
        return
    status = os.statvfs(place)
    if status.f_flag & os.ST_RDONLY:
        raise WrongUse(f"{place} lies on a disk that can only be read: mount it for writing. {_NOTHING}")
    raise WrongUse(
        f"{place} belongs to {_owner(place)} and cannot be read and written by this user ({_user()}), perhaps since "
        f"something was run with sudo: give it back (sudo chown -R {_user()} {root}), or choose another "
        f"LICENSES_DATA_DIR. {_NOTHING}"
    )


_NOTHING = "Nothing was asked."


def _one_per_disk(folders: Iterable[Path]) -> list[Path]:
    disks: dict[int, Path] = {}
    for folder in folders:
        disks.setdefault(folder.stat().st_dev, folder)
    return list(disks.values())


def _require_space(folder: Path, data: DataDirectory) -> None:
    """Room for what the night brings and, on its own disk, for the new warehouse beside the old one."""
    disk = os.statvfs(folder)
    free, needed = disk.f_bavail * disk.f_frsize, SPARE_BYTES
    with suppress(FileNotFoundError):
        warehouse = data.warehouse.stat()
        needed += 2 * warehouse.st_size if warehouse.st_dev == folder.stat().st_dev else 0
    if free < needed:
        raise WrongUse(
            f"The disk of {folder} has {free / 1e6:,.0f} MB free, and a night may need {needed / 1e6:,.0f} MB: make "
            f"room, or choose another LICENSES_DATA_DIR. {_NOTHING}"
        )
    if disk.f_files and disk.f_favail < SPARE_FILES:
        raise WrongUse(
            f"The disk of {folder} can hold only {disk.f_favail:,} more files (its inodes are used up): remove some. "
            f"{_NOTHING}"
        )


def _try_to_write(folder: Path) -> None:
    """What permissions do not tell: quotas, immutable folders, disks that fail."""
    try:
        with TemporaryFile(dir=folder) as probe:
            probe.write(b"room")
            probe.flush()
    except OSError as error:
        raise WrongUse(f"Nothing can be written into {folder}: {error.strerror or error}. {_NOTHING}") from None


def _owner(place: Path) -> str:
    try:
        return place.owner()
    except (KeyError, OSError, NotImplementedError):
        return "another user"


def _user() -> str:
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_name
    except (ImportError, KeyError):
        return os.environ.get("USER") or "this one"
