"""Publishing the warehouse: the new file, and what else the run has staged for it, appear together, or not at all.

Snapshots are published before it, day by day (`assets/snapshots/past/fill.py`).
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from assets.engine import engine
from assets.errors import DamagedFile, PublishFailed
from assets.files.atomic import because, whole_file
from assets.files.publishing import discard, publishing, sweep, told_in_words, writing
from assets.layout import DataDirectory
from assets.warehouse.build import build, remove, reopen
from assets.warehouse.checks import ChecksFailed, Finding, verify
from assets.warehouse.reading import opened
from assets.warehouse.subject import Subjects

log = logging.getLogger(__name__)

FAILED = "The new warehouse could not be made or put in place", "The old one stands, and so do the snapshots."


class _Made(NamedTuple):
    """Which stored files the warehouse could not be made from, and why it does not go on from the old one, if that
    showed only when it had been made."""

    damaged: list[DamagedFile]
    healed: str = ""


class Published(NamedTuple):
    """Where the staged files went, and what is to be told of how the warehouse was made (`_Made`)."""

    files: list[Path]
    damaged: list[DamagedFile]
    healed: str


def publish(subjects: Subjects, data: DataDirectory, staged: DataDirectory, at: datetime) -> Published:
    """Build the new warehouse beside the old one, check it, then put staged files and warehouse in place.

    `at` is the pipeline's clock: from then on the new warehouse answers. Whoever has the old warehouse open keeps what
    they opened.

    Raises:
        PublishFailed: nothing was published; snapshots and warehouse stand as they were.
    """
    with told_in_words(*FAILED), writing(data):
        sweep(data, keep=staged)
        published = _publish(subjects, data, staged, at)
    discard(staged)
    return published


def look(subjects: Subjects, data: DataDirectory) -> tuple[Finding, ...]:
    """What the checks find in the published warehouse, held against the published files; changes nothing.

    Raises:
        PublishFailed: there is no warehouse to look at.
    """
    if not data.warehouse.exists():
        raise PublishFailed(f"There is no warehouse in {data.root} to look at yet: licenses snapshot makes it.")
    with told_in_words("The warehouse could not be looked at"), engine(data.root) as connection:
        reopen(connection, subjects, data)
        return tuple(verify(connection, subjects))


def bring_up_to_date(subjects: Subjects, data: DataDirectory, now: datetime) -> bool:
    """Build the warehouse again unless it shows what the files say; says whether that was needed.

    It is not after a run that was killed before its last step, or where somebody has changed or lost a file.

    Raises:
        PublishFailed: it could not be built; the old one stands.
        BadReference: an edited reference file cannot be used; the old one stands.
    """
    with _apart_from_runs(data) as staged:
        if is_up_to_date(subjects, data):
            return False
        _publish(subjects, data, staged, now)
    return True


def rebuild(subjects: Subjects, data: DataDirectory, now: datetime) -> list[DamagedFile]:
    """Build the warehouse from all files, whatever the old one knows; returns those that could not be read.

    Raises:
        PublishFailed, BadReference: as `bring_up_to_date`.
    """
    with _apart_from_runs(data) as staged:
        return _publish(subjects, data, staged, now, anew=True).damaged


@contextmanager
def _apart_from_runs(data: DataDirectory) -> Iterator[DataDirectory]:
    """Where the warehouse alone is staged; within it, nobody else writes.

    Raises:
        PublishFailed: the warehouse could not be built; the old one stands.
    """
    staged = data.staging("warehouse")
    with told_in_words(*FAILED), writing(data):
        sweep(data, keep=staged)
        discard(staged)  # of another process that was killed
        yield staged
        discard(staged)


def is_up_to_date(subjects: Subjects, data: DataDirectory) -> bool:
    """Whether the warehouse is whole, of this version, and made from the files that there are. It reads no rows.

    Raises:
        PublishFailed: what must never change was changed, so that no warehouse can be built.
    """
    for one in subjects:
        one.require_sound(data)
    if not any(one.has_anything(data) for one in subjects):
        return True  # there is nothing to show
    if not data.warehouse.exists():
        return False
    try:
        with opened(data, spills=False) as warehouse:
            return all(one.is_shown(warehouse, data) for one in subjects)
    except (duckdb.Error, pa.ArrowException, OSError):
        return False


def refresh(subjects: Subjects, data: DataDirectory, now: datetime) -> bool:
    """Bring the warehouse up to date, as after a reference file was edited; says whether that was needed.

    Who may only read can read on where it is, because nothing is locked then.

    Raises:
        PublishFailed, BadReference: as `bring_up_to_date`.
    """
    return not is_up_to_date(subjects, data) and bring_up_to_date(subjects, data, now)


def _publish(
    subjects: Subjects, data: DataDirectory, staged: DataDirectory, at: datetime, *, anew: bool = False
) -> Published:
    # The stack outlives the file: should the warehouse not get into place, the moved files go back.
    with ExitStack() as moves, whole_file(data.warehouse, vacant=True) as place:
        for one in subjects:
            one.stage(data, staged, at)
        made = _make_whole(subjects, data, staged, place, anew=anew)
        datasets = [dataset for one in subjects for dataset in one.datasets]
        moved = moves.enter_context(publishing(staged, data, datasets))
        _forget_foreign_writes(data)
    return Published(moved, *made)


def _make_whole(subjects: Subjects, data: DataDirectory, staged: DataDirectory, place: Path, *, anew: bool) -> _Made:
    """What the old warehouse knew may be wrong, or not to be read; the files are what is true. So where the new one
    goes on from it and does not hold, it is made of them alone, in the same night."""
    try:
        return _Made(_make(subjects, data, staged, place, anew=anew))
    except (ChecksFailed, duckdb.Error) as error:
        if anew or not data.warehouse.exists():
            raise
        found = "; ".join(map(str, error.findings)) if isinstance(error, ChecksFailed) else because(error)
    remove(place)
    damaged = _make(subjects, data, staged, place, anew=True)
    healed = (
        f"What the new warehouse took over from the old one does not hold ({found}), so it was built from all files "
        "instead, and all checks hold. Nothing is to be done. Where this is told again, look for what damages "
        f"{data.warehouse} or writes to it."
    )
    log.warning(healed)
    return _Made(damaged, healed)


def _make(
    subjects: Subjects, data: DataDirectory, staged: DataDirectory, place: Path, *, anew: bool
) -> list[DamagedFile]:
    with engine(data.root) as connection:
        damaged = build(connection, subjects, data, staged, place, anew=anew)
        if findings := verify(connection, subjects):
            raise ChecksFailed(findings)
        connection.execute("use memory")
        connection.execute("detach warehouse")
        return damaged


def _forget_foreign_writes(data: DataDirectory) -> None:
    """Somebody who opened the old file for writing left a log beside it, which would be replayed into the new one."""
    data.warehouse.with_name(f"{data.warehouse.name}.wal").unlink(missing_ok=True)
