"""Publishing the warehouse: the new file, and what else the run has staged for it, appear together, or not at all.

Snapshots are published before it, day by day (`assignments/backfill.py`)."""

from collections import Counter
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from assets.assignments.reference import LICENSE_TYPES, license_types
from assets.assignments.restatement import restate
from assets.engine import engine, sql_file
from assets.errors import DamagedFile, PublishFailed
from assets.files import whole_file
from assets.finance.closings import log_files, require_as_signed
from assets.finance.reference import reference_hashes
from assets.layout import CONFLICTS, COVERAGE, FINANCE, RESTATEMENTS, SNAPSHOTS, USAGE, DataDirectory, day_files
from assets.publishing import discard, publishing, sweep, told_in_words
from assets.warehouse import inputs
from assets.warehouse.build import build, reopen
from assets.warehouse.checks import ChecksFailed, Finding, verify
from assets.warehouse.mappings import MAPPINGS, keep_mapping
from assets.warehouse.past import past_files
from assets.warehouse.reading import opened

DATASETS = (USAGE, COVERAGE, CONFLICTS, SNAPSHOTS, MAPPINGS, FINANCE)
FAILED = "The new warehouse could not be made or put in place", "The old one stands, and so do the snapshots."


class Published(NamedTuple):
    """Where the staged files went, and which stored files the warehouse could not be made from."""

    files: list[Path]
    damaged: list[DamagedFile]


def publish(data: DataDirectory, staged: DataDirectory, at: datetime) -> Published:
    """Build the new warehouse beside the old one, check it, then put staged files and warehouse in place.

    `at` is the pipeline's clock: from then on the new warehouse answers. Whoever has the old warehouse open keeps what
    they opened.

    Raises:
        PublishFailed: nothing was published; snapshots and warehouse stand as they were.
    """
    with told_in_words(*FAILED), data.writing():
        sweep(data, keep=staged)
        published = _publish(data, staged, at)
    discard(staged)
    return published


def look(data: DataDirectory) -> tuple[Finding, ...]:
    """What the checks find in the published warehouse, held against the published files; changes nothing.

    Raises:
        PublishFailed: there is no warehouse to look at.
    """
    if not data.warehouse.exists():
        raise PublishFailed(f"There is no warehouse in {data.root} to look at yet: licenses snapshot makes it.")
    with told_in_words("The warehouse could not be looked at"), engine(data.root) as connection:
        reopen(connection, data)
        return tuple(verify(connection))


def bring_up_to_date(data: DataDirectory, now: datetime) -> bool:
    """Build the warehouse again unless it shows what the files say; says whether that was needed.

    It is not after a run that was killed before its last step, or where somebody has changed or lost a file.

    Raises:
        PublishFailed: it could not be built; the old one stands.
        BadReference: an edited reference file cannot be used; the old one stands.
    """
    staged = data.staging("warehouse")
    with told_in_words(*FAILED), data.writing():
        sweep(data, keep=staged)
        discard(staged)  # of another process that was killed
        if is_up_to_date(data):
            return False
        _publish(data, staged, now)
        discard(staged)
    return True


def is_up_to_date(data: DataDirectory) -> bool:
    """Whether the warehouse is whole, of this version, and made from the files that there are. It reads no rows.

    Raises:
        PublishFailed: what finance has signed was changed, so that no warehouse can be built.
    """
    require_as_signed(data)
    if not day_files(SNAPSHOTS, data):
        return True  # there is nothing to show
    if not data.warehouse.exists():
        return False
    try:
        with opened(data) as warehouse:
            return (
                _is_ours(warehouse)
                and _is_made_from(set(warehouse.execute("from internal.input_files").fetchall()), data)
                and dict(warehouse.execute("from internal.reference_files").fetchall()) == reference_hashes(data)
                and _past(warehouse) == _past_on_disk(data)
            )
    except (duckdb.Error, pa.ArrowException, OSError):
        return False


def _is_ours(warehouse: duckdb.DuckDBPyConnection) -> bool:
    """Whether this version made it, and nobody has changed it since."""
    warehouse.execute("set variable made_by = ?", [inputs.made_by()])
    recorded = warehouse.execute("from internal.build_info").fetchall()
    return bool(recorded == warehouse.execute(sql_file(inputs.__file__, "internal/build_info")).fetchall())


def _is_made_from(marks: set[inputs.Mark], data: DataDirectory) -> bool:
    return {file.mark for file in inputs.choose(marks, data).files} == marks


Past = tuple[Counter[tuple[date, str]], int, int, int]
"""How often each day was restated; how many conflicts, mappings and entries of finance's log there are."""


def _past(warehouse: duckdb.DuckDBPyConnection) -> Past:
    restated = warehouse.execute("select snapshot_date, organization_id from restatements").fetchall()
    counted = (
        "select count(*) from reconstruction_conflicts",
        "select count(distinct known_from) from internal.license_type_versions",
        "select count(*) from finance_closings",
    )
    conflicts, mappings, closings = (warehouse.execute(query).fetchall()[0][0] for query in counted)
    return Counter(restated), conflicts, mappings, closings


def _past_on_disk(data: DataDirectory) -> Past:
    """Of what can be read: without the others a warehouse is as good as it gets."""
    past = past_files(data)
    readable = past.restatements.keys()
    return (
        Counter((file.day, file.organization_id) for file in day_files(RESTATEMENTS, data) if file.path in readable),
        sum(pq.read_metadata(path).num_rows for path in past.conflicts),
        len(past.mappings),
        len(log_files(data)),
    )


def _publish(data: DataDirectory, staged: DataDirectory, at: datetime) -> Published:
    # The stack outlives the file: should the warehouse not get into place, the moved files go back.
    with ExitStack() as moves, whole_file(data.warehouse, vacant=True) as place:
        restate(data, staged)
        keep_mapping(license_types(data.reference(LICENSE_TYPES)), at, data, staged)
        damaged = _make(data, staged, place)
        moved = moves.enter_context(publishing(staged, data, DATASETS))
        _forget_foreign_writes(data)
    return Published(moved, damaged)


def _make(data: DataDirectory, staged: DataDirectory, place: Path) -> list[DamagedFile]:
    with engine(data.root) as connection:
        damaged = build(connection, data, staged, place)
        if findings := verify(connection):
            raise ChecksFailed(findings)
        connection.execute("use memory")
        connection.execute("detach warehouse")
        return damaged


def _forget_foreign_writes(data: DataDirectory) -> None:
    """Somebody who opened the old file for writing left a log beside it, which would be replayed into the new one."""
    data.warehouse.with_name(f"{data.warehouse.name}.wal").unlink(missing_ok=True)
