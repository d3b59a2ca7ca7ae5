"""The past does not change silently: when a snapshot is replaced, what it was before is written down beside it.

One small Parquet file per replacement holds the rows that differ, as they were; its metadata says when, by which run
and source, and why. From the current snapshots and these files, every earlier belief can be told again.
"""

from datetime import date, datetime
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
from msgspec import Struct

from assets.columns import INSTANT
from assets.engine import engine, parquet_view, sql_file
from assets.errors import PublishFailed
from assets.files.damaged import damaged, footer
from assets.files.publishing import discard, next_number, settle
from assets.layout import (
    FACTS_KEY,
    RESTATEMENTS,
    SNAPSHOTS,
    DataDirectory,
    DayFile,
    day_files,
    restatement_file,
    snapshot_file,
)
from assets.snapshots.license_types import LICENSE_TYPES, license_types
from assets.snapshots.rules import load_rules
from assets.snapshots.schema import LICENSE_ASSIGNMENTS, NOT_ATTRIBUTES, Provenance
from assets.snapshots.snapshot import (
    SnapshotFacts,
    read_facts,
    same_snapshot,
    standing_facts,
    write_table,
)

RESTATED_ROWS = pa.schema(
    [
        LICENSE_ASSIGNMENTS.field("holder_type"),
        LICENSE_ASSIGNMENTS.field("holder_id"),
        pa.field("restated_at", INSTANT, nullable=False, metadata={"comment": "When the snapshot was replaced."}),
        pa.field("was_there", pa.bool_(), nullable=False, metadata={"comment": "Whether the old version had it."}),
        pa.field("is_there", pa.bool_(), nullable=False, metadata={"comment": "Whether the new version has it."}),
        pa.field(
            "is_change",
            pa.bool_(),
            metadata={
                "comment": "Whether something differs that both versions knew; null: an older file does not say."
            },
        ),
        *(
            field.with_nullable(True)
            for field in LICENSE_ASSIGNMENTS
            if field.name not in {*NOT_ATTRIBUTES, "holder_type", "holder_id"}
        ),
    ]
)


class Restatement(Struct, kw_only=True):
    """One replacement of one organization's day. Seats are active members whose license takes one, null where the
    members of that version are unknown."""

    organization_id: str
    snapshot_date: date
    known_from: datetime
    """Since when the replaced version had been believed."""
    restated_at: datetime
    run_id: str
    provenance_before: Provenance
    provenance_after: Provenance
    was_final: bool
    reason: str | None
    seats_before: int | None
    seats_after: int | None
    replaced: SnapshotFacts | None = None
    """What stood beside the replaced version's rows; older files do not have it, but the superseded snapshot does."""


def restate(data: DataDirectory, staged: DataDirectory) -> None:
    """Stage what each staged snapshot changes in the one that it will replace. Only for who holds `writing`.

    What stands published now is compared, not what stood when the snapshot was derived: another run may have been
    quicker. A snapshot that changes nothing any more is staged no longer.

    Raises:
        PublishFailed: what is replaced was loaded later than what replaces it, so the clock is behind.
    """
    discard(DataDirectory(staged.root / RESTATEMENTS))  # of an attempt to publish that failed
    for file in day_files(SNAPSHOTS, staged):
        settle(data, file.path.parent.relative_to(staged.snapshots))
        before = standing_facts(snapshot_file(data, file.day, file.organization_id))
        after = read_facts(file.path)
        if before and after:
            _restate(file, before, after, data, staged)


def _restate(
    file: DayFile, before: SnapshotFacts, after: SnapshotFacts, data: DataDirectory, staged: DataDirectory
) -> None:
    with engine(staged.root) as connection:
        parquet_view(connection, "license_assignments", [file.path], LICENSE_ASSIGNMENTS)
        if same_snapshot(connection, after, data):
            file.path.unlink()
            return
        load_rules(connection)
        connection.register("license_types", license_types(data.reference(LICENSE_TYPES), file.day))
        number = next_number(data, file.path.parent.relative_to(staged.snapshots))
        place = restatement_file(staged, file.day, file.organization_id, number)
        _write_restatement(connection, before, after, place)


def _write_restatement(
    connection: duckdb.DuckDBPyConnection, before: SnapshotFacts, after: SnapshotFacts, place: Path
) -> None:
    """Write what `license_assignments` changes in `published_snapshot`."""
    known_from, restated_at = (facts.loaded_at or facts.observed_at for facts in (before, after))
    if restated_at < known_from:
        raise PublishFailed(
            f"The snapshot of {before.snapshot_date} for {before.title} that is to be replaced was loaded at "
            f"{known_from:%Y-%m-%d %H:%M:%S} UTC, but the clock stands at {restated_at:%Y-%m-%d %H:%M:%S} UTC: it is "
            "behind. Set it right and run again; nothing was published."
        )
    (seats_before, seats_after) = connection.execute(sql_file(__file__, "restatement_seats")).fetchall()[0]
    rows = connection.sql(sql_file(__file__, "restated_rows"), params={"restated_at": restated_at})
    restatement = Restatement(
        organization_id=after.organization_id,
        snapshot_date=after.snapshot_date,
        known_from=known_from,
        restated_at=restated_at,
        run_id=after.loaded_by or after.run_id,
        provenance_before=before.provenance,
        provenance_after=after.provenance,
        was_final=before.is_final,
        reason=after.reason,
        seats_before=None if before.users is None else seats_before,
        seats_after=None if after.users is None else seats_after,
        replaced=before,
    )
    write_table(place, rows, RESTATED_ROWS, restatement)


def read_restatement(path: Path) -> Restatement:
    """The facts of one restatement file.

    Raises:
        DamagedFile: it cannot be read.
    """
    try:
        return msgspec.json.decode((footer(path).metadata or {})[FACTS_KEY], type=Restatement)
    except (KeyError, ValueError):
        raise damaged(path, "it does not say of itself what a restatement says") from None
