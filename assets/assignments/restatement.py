"""The past does not change silently: when a snapshot is replaced, what it was before is written down beside it.

One small Parquet file per replacement holds the rows that differ, as they were; its metadata says when, by which run
and source, and why. From the current snapshots and these files, every earlier belief can be told again.
"""

from datetime import date, datetime
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from assets.assignments.schema import INSTANT, LICENSE_ASSIGNMENTS, NOT_ATTRIBUTES, Provenance
from assets.assignments.snapshot import FACTS_KEY, SnapshotFacts, write_table
from assets.engine import sql_file
from assets.layout import DataDirectory, restatement_file

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


def stage_restatement(
    connection: duckdb.DuckDBPyConnection,
    before: SnapshotFacts,
    after: SnapshotFacts,
    data: DataDirectory,
    staged: DataDirectory,
) -> None:
    """Stage what `license_assignments` changes in the published snapshot of the same day."""
    restated_at = after.loaded_at or after.observed_at
    (seats_before, seats_after) = connection.execute(sql_file(__file__, "restatement_seats")).fetchall()[0]
    query = sql_file(__file__, "restated_rows")
    connection.execute(
        f"create or replace table restated_rows as select $at as restated_at, * from ({query})", {"at": restated_at}
    )
    restatement = Restatement(
        organization_id=after.organization_id,
        snapshot_date=after.snapshot_date,
        known_from=before.loaded_at or before.observed_at,
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
    place = restatement_file(data, staged, after.snapshot_date, after.organization_id)
    rows = connection.sql(f"select {', '.join(RESTATED_ROWS.names)} from restated_rows order by holder_type, holder_id")
    write_table(place, rows, RESTATED_ROWS, restatement)


def read_restatement(path: Path) -> Restatement:
    """The facts of one restatement file."""
    metadata = pq.read_metadata(path).metadata or {}
    return msgspec.json.decode(metadata[FACTS_KEY], type=Restatement)
