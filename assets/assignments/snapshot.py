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
from assets.engine import parquet_view
from assets.extraction.landing import organizations_observed
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
    uses_unattributed: int = 0
    """Rows of usage reports that name nobody."""
    conflicts: int = 0
    foreign: int = 0
    """Items of other organizations in this one's answers, left out."""
    workspaces_known: bool | None = None
    """Whether the list of workspaces was read; None: a snapshot of a version that did not say."""
    default_workspace: str | None = None
    """The default workspace's id, which the older shape of API keys leaves null."""
    loaded_at: datetime | None = None
    """Since when this version of the day has been believed."""
    loaded_by: str | None = None
    reason: str | None = None
    format: int = FORMAT

    @property
    def title(self) -> str:
        return f"{self.organization_name or 'organization'} ({self.organization_id})"

    @property
    def unknown(self) -> list[str]:
        """The rosters that could not be read."""
        rosters = {"members": self.users, "API keys": self.api_keys, "invites": self.invites}
        return [name for name, count in rosters.items() if count is None]


def write_table(path: Path, rows: duckdb.DuckDBPyRelation, schema: pa.Schema, facts: Struct | None = None) -> None:
    """Write a relation, in its order and with exactly `schema`, as one atomic zstd Parquet file."""
    metadata = {FACTS_KEY: msgspec.json.encode(facts)} if facts else {}
    schema = schema.with_metadata(metadata)
    with (
        whole_file(path) as place,
        pq.ParquetWriter(place, schema, compression="zstd", compression_level=1) as writer,
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


def workspaces_known(path: Path, facts: SnapshotFacts) -> bool:
    """Whether the workspaces' names are known in a snapshot; one of a version that did not say shows it by its rows."""
    if facts.workspaces_known is not None:
        return facts.workspaces_known
    rows = pq.read_table(path, columns=["workspace_id", "workspace_name"], partitioning=None)
    without_name, without_id = rows["workspace_name"].null_count, rows["workspace_id"].null_count
    return bool(without_name < rows.num_rows or without_id == rows.num_rows)


def last_known(data: DataDirectory, organization_id: str, day: date, roster: str) -> SnapshotFacts | None:
    """The facts of the organization's last snapshot up to and including `day` in which a roster's count is known."""
    days = sorted((found for found in snapshot_days(data, organization_id) if found <= day), reverse=True)
    every = (read_facts(snapshot_file(data, found, organization_id)) for found in days)
    return next((facts for facts in every if facts and getattr(facts, roster) is not None), None)


def snapshot_days(data: DataDirectory, organization_id: str) -> Iterator[date]:
    """The days for which the organization has a snapshot, in no order."""
    for path in data.snapshots.glob(f"snapshot_date=*/organization_id={organization_id}/part.parquet"):
        yield date.fromisoformat(path.parent.parent.name.removeprefix("snapshot_date="))


def organizations_known(data: DataDirectory) -> list[str]:
    """The ids of all organizations that have a snapshot or an observation."""
    snapshots = {path.name.removeprefix("organization_id=") for path in data.snapshots.glob("*/organization_id=*")}
    return sorted(snapshots | set(organizations_observed(data)))


def same_snapshot(
    connection: duckdb.DuckDBPyConnection, rows: str, facts: SnapshotFacts, data: DataDirectory
) -> SnapshotFacts | None:
    """The facts of the published snapshot where it says exactly what `rows` and `facts` say, run and hour apart.

    Where there is a published snapshot, it becomes the relation `published_snapshot`.
    """
    path = snapshot_file(data, facts.snapshot_date, facts.organization_id)
    published = read_facts(path)
    if published is None:
        return None
    parquet_view(connection, "published_snapshot", [str(path)], LICENSE_ASSIGNMENTS)
    if _comparable(published) != _comparable(facts) or not pq.read_schema(path).equals(LICENSE_ASSIGNMENTS):
        return None
    columns = ", ".join(name for name in LICENSE_ASSIGNMENTS.names if name not in ("observed_at", "run_id"))
    differ = connection.sql(
        f"""(select {columns} from {rows} except select {columns} from published_snapshot) union all
            (select {columns} from published_snapshot except select {columns} from {rows}) limit 1"""
    ).fetchall()
    return None if differ else published


def _comparable(facts: SnapshotFacts) -> SnapshotFacts:
    """Without what differs from run to run though the day is the same."""
    told = {"observed_at": datetime.min, "run_id": "", "observation": "", "foreign": 0}
    return msgspec.structs.replace(facts, **told, loaded_at=None, loaded_by=None, reason=None)
