"""Publishing: what a run has staged and the warehouse that belongs to it appear together, or not at all."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from assets.assignments.reference import LICENSE_TYPES, license_types
from assets.engine import engine
from assets.errors import LicenseHistoryError, PublishFailed
from assets.layout import (
    CONFLICTS,
    COVERAGE,
    FINANCE,
    RESTATEMENTS,
    SNAPSHOTS,
    USAGE,
    DataDirectory,
    discard,
    publishing,
    whole_file,
)
from assets.warehouse.build import build
from assets.warehouse.checks import ChecksFailed, verify
from assets.warehouse.mappings import MAPPINGS, keep_mapping

DATASETS = (USAGE, COVERAGE, CONFLICTS, RESTATEMENTS, SNAPSHOTS, MAPPINGS, FINANCE)


def publish(data: DataDirectory, staged: DataDirectory, at: datetime) -> list[Path]:
    """Build the new warehouse beside the old one, check it, then put staged files and warehouse in place.

    `at` is the pipeline's clock: from then on the new warehouse answers. Whoever has the old warehouse open keeps what
    they opened. Returns where the staged files went.

    Raises:
        PublishFailed: nothing was published; snapshots and warehouse stand as they were.
    """
    try:
        # The stack outlives the file: should the warehouse not get into place, the moved files go back.
        with data.writing(), ExitStack() as moves, whole_file(data.warehouse) as place:
            keep_mapping(license_types(data.reference(LICENSE_TYPES)), at, data, staged)
            _make(data, staged, place)
            moved = moves.enter_context(publishing(staged, data, DATASETS))
            _forget_foreign_writes(data)
        discard(staged)
        return moved
    except LicenseHistoryError:
        raise
    except Exception as error:
        raise PublishFailed(
            f"The new warehouse could not be made or put in place ({type(error).__name__}: {error}). Nothing was "
            f"published: the snapshots and {data.warehouse.name} stand as they were. Mend the cause and run again."
        ) from error


def _make(data: DataDirectory, staged: DataDirectory, place: Path) -> None:
    with engine(data.root) as connection:
        build(connection, data, staged, place)
        if findings := verify(connection):
            raise ChecksFailed(findings)
        connection.execute("use memory")
        connection.execute("detach warehouse")


def _forget_foreign_writes(data: DataDirectory) -> None:
    """Somebody who opened the old file for writing left a log beside it, which would be replayed into the new one."""
    data.warehouse.with_name(f"{data.warehouse.name}.wal").unlink(missing_ok=True)
