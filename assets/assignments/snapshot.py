"""A snapshot on disk: one Parquet file per organization and day, with the facts about it in its own metadata."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct, field

from assets.assignments.schema import LICENSE_ASSIGNMENTS, Provenance
from assets.layout import DataDirectory, snapshot_file, whole_file

FACTS_KEY = b"license_history"
FORMAT = 1


class SnapshotFacts(Struct, kw_only=True):
    """What stands beside the rows: how they came to be, and what is unknown. A count of null is unknown, not zero."""

    organization_id: str
    organization_name: str | None
    snapshot_date: date
    provenance: Provenance
    is_final: bool
    observed_at: datetime
    run_id: str
    observation: str
    users: int | None
    api_keys: int | None
    invites: int | None
    usage_sources: list[str] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)
    repeated: int = 0
    left_out: int = 0
    uses_before_assignment: int = 0
    uses_ambiguous: int = 0
    uses_unmatched: int = 0
    conflicts: int = 0
    format: int = FORMAT

    @property
    def title(self) -> str:
        return f"{self.organization_name or 'organization'} ({self.organization_id})"

    @property
    def unknown(self) -> list[str]:
        """The rosters that could not be read."""
        rosters = {"members": self.users, "API keys": self.api_keys, "invites": self.invites}
        return [name for name, count in rosters.items() if count is None]


def write_table(
    path: Path, rows: duckdb.DuckDBPyRelation, schema: pa.Schema, facts: SnapshotFacts | None = None
) -> None:
    """Write a relation, in its order and with exactly `schema`, as one atomic zstd Parquet file."""
    metadata = {FACTS_KEY: msgspec.json.encode(facts)} if facts else {}
    schema = schema.with_metadata(metadata)
    with (
        whole_file(path) as place,
        pq.ParquetWriter(place, schema, compression="zstd", compression_level=3) as writer,
    ):
        for batch in rows.to_arrow_reader(122_880):
            writer.write_table(pa.table(batch).cast(schema))


def read_facts(path: Path) -> SnapshotFacts | None:
    """The facts of one snapshot file, None where there is no such file."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except FileNotFoundError:
        return None
    return msgspec.json.decode(metadata[FACTS_KEY], type=SnapshotFacts)


def latest_facts(data: DataDirectory, organization_id: str, day: date) -> SnapshotFacts | None:
    """The facts of the organization's last snapshot up to and including `day`."""
    for day_found in sorted(snapshot_days(data, organization_id), reverse=True):
        if day_found <= day:
            return read_facts(snapshot_file(data, day_found, organization_id))
    return None


def snapshot_days(data: DataDirectory, organization_id: str) -> Iterator[date]:
    """The days for which the organization has a snapshot, in no order."""
    for path in data.snapshots.glob(f"snapshot_date=*/organization_id={organization_id}/part.parquet"):
        yield date.fromisoformat(path.parent.parent.name.removeprefix("snapshot_date="))


def same_snapshot(
    connection: duckdb.DuckDBPyConnection, rows: str, facts: SnapshotFacts, data: DataDirectory
) -> SnapshotFacts | None:
    """The facts of the published snapshot where it says exactly what `rows` and `facts` say, run and hour apart."""
    path = snapshot_file(data, facts.snapshot_date, facts.organization_id)
    published = read_facts(path)
    if published is None or _comparable(published) != _comparable(facts):
        return None
    if not pq.read_schema(path).equals(LICENSE_ASSIGNMENTS):
        return None
    columns = ", ".join(name for name in LICENSE_ASSIGNMENTS.names if name not in ("observed_at", "run_id"))
    before = connection.read_parquet(str(path), hive_partitioning=False)
    before.create_view("published_snapshot", replace=True)
    differ = connection.sql(
        f"""(select {columns} from {rows} except select {columns} from published_snapshot) union all
            (select {columns} from published_snapshot except select {columns} from {rows}) limit 1"""
    ).fetchall()
    return None if differ else published


def _comparable(facts: SnapshotFacts) -> SnapshotFacts:
    return msgspec.structs.replace(facts, observed_at=datetime.min, run_id="", observation="")
