"""A snapshot on disk: one Parquet file per organization and day, with the facts about it in its own metadata."""

import filecmp
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct, field

from assets.engine import parquet_view, sql_file
from assets.errors import CopiedFile, DamagedFile
from assets.extraction.landing import organizations_observed
from assets.files.atomic import whole_file
from assets.files.damaged import damaged, footer, unreadable
from assets.layout import FACTS_KEY, SNAPSHOTS, DataDirectory, DayFile, day_files, snapshot_file
from assets.snapshots.schema import LICENSE_ASSIGNMENTS, HolderType, Provenance

FORMAT = 1
ROW_GROUP = 122_880
"""Rows that a file holds together, as many as DuckDB's own."""
COUNTS = {HolderType.USER: "users", HolderType.API_KEY: "api_keys", HolderType.INVITE: "invites"}
"""What the facts call the number of holders of a kind."""


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
    def known(self) -> set[HolderType]:
        """The kinds of holders whose rosters could be read."""
        return {kind for kind, count in COUNTS.items() if getattr(self, count) is not None}

    @property
    def holders(self) -> int:
        """How many holders there are of the kinds whose rosters could be read."""
        return sum(getattr(self, count) or 0 for count in COUNTS.values())

    @property
    def unknown(self) -> list[str]:
        """The rosters that could not be read."""
        rosters = {"members": self.users, "API keys": self.api_keys, "invites": self.invites}
        return [name for name, count in rosters.items() if count is None]


def write_table(path: Path, rows: duckdb.DuckDBPyRelation, schema: pa.Schema, facts: Struct | None = None) -> None:
    """Write a relation, in its order and with exactly `schema`, as one atomic zstd Parquet file."""
    with writing_parts(path, schema, facts) as write:
        write(rows)


@contextmanager
def writing_parts(
    path: Path, schema: pa.Schema, facts: Struct | None = None
) -> Iterator[Callable[[duckdb.DuckDBPyRelation], None]]:
    """Such a file, of one relation after another: the same whatever rows come together. What `facts` say in the end
    stands beside the rows."""
    schema = schema.remove_metadata()
    waiting = schema.empty_table()
    with (
        whole_file(path) as place,
        pq.ParquetWriter(place, schema, compression="zstd", compression_level=1) as writer,
    ):

        def write(rows: duckdb.DuckDBPyRelation) -> None:
            nonlocal waiting
            for batch in rows.to_arrow_reader(ROW_GROUP):
                waiting = pa.concat_tables([waiting, pa.table(batch).cast(schema)])
                while waiting.num_rows >= ROW_GROUP:
                    writer.write_table(waiting.slice(0, ROW_GROUP))
                    waiting = waiting.slice(ROW_GROUP)

        yield write
        if waiting.num_rows:
            writer.write_table(waiting)
        if facts:
            writer.add_key_value_metadata({FACTS_KEY: msgspec.json.encode(facts)})


def unless_standing(staged: Path, published: Path) -> Path:
    """The published file where the staged one is the same byte for byte, and then stays: its time tells that nothing is
    new in it."""
    if not staged.exists():
        return published
    with suppress(OSError):  # what cannot be read is replaced
        if published.is_file() and filecmp.cmp(staged, published, shallow=False):
            staged.unlink()
            return published
    return staged


def read_facts(path: Path) -> SnapshotFacts | None:
    """The facts of one snapshot file, None where there is no such file.

    Raises:
        DamagedFile: it cannot be read.
        CopiedFile: it is another day's or organization's.
    """
    try:
        metadata = footer(path).metadata or {}
    except FileNotFoundError:
        return None
    try:
        facts = msgspec.json.decode(metadata[FACTS_KEY], type=SnapshotFacts)
    except (KeyError, ValueError):
        raise damaged(path, "it does not say of itself what a snapshot says") from None
    folders = (path.parent.parent.name, path.parent.name)
    if folders != (f"snapshot_date={facts.snapshot_date}", f"organization_id={facts.organization_id}"):
        raise CopiedFile(
            path,
            "it counts as absent",
            "Move it away.",
            why=f"it is a copy of the snapshot of {facts.snapshot_date} of {facts.organization_id}",
        )
    return facts


def known_facts(path: Path) -> SnapshotFacts | None:
    """The facts of one snapshot file, None where there is none that can be read: that counts as absent, and is named
    by whoever builds the warehouse."""
    try:
        return read_facts(path)
    except DamagedFile:
        return None


def standing_facts(path: Path) -> SnapshotFacts | None:
    """The facts of a snapshot that is about to be compared and replaced: None where it cannot be read to its end."""
    facts = known_facts(path)
    return facts if facts and not unreadable([path]) else None


def workspaces_known(path: Path, facts: SnapshotFacts) -> bool:
    """Whether the workspaces' names are known in a snapshot; one of a version that did not say shows it by its rows."""
    if facts.workspaces_known is not None:
        return facts.workspaces_known
    try:
        rows = pq.ParquetFile(path).read(columns=["workspace_id", "workspace_name"])
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from None
    without_name, without_id = rows["workspace_name"].null_count, rows["workspace_id"].null_count
    return bool(without_name < rows.num_rows or without_id == rows.num_rows)


def last_known(data: DataDirectory, organization_id: str, day: date, roster: str) -> SnapshotFacts | None:
    """The facts of the organization's last snapshot up to and including `day` in which a roster's count is known."""
    upto = [file for file in day_files(SNAPSHOTS, data, organization_id=organization_id) if file.day <= day]
    every = (known_facts(file.path) for file in reversed(upto))
    return next((facts for facts in every if facts and getattr(facts, roster) is not None), None)


def next_known(data: DataDirectory, organization_id: str, day: date, roster: str) -> SnapshotFacts | None:
    """The facts of the organization's first closing snapshot after `day` in which a roster's count is known."""
    later = (facts for _, facts in snapshots_of(organization_id, data, after=day))
    return next((facts for facts in later if facts.is_final and getattr(facts, roster) is not None), None)


def snapshots_of(
    organization_id: str, *trees: DataDirectory, after: date = date.min
) -> Iterator[tuple[DayFile, SnapshotFacts]]:
    """The organization's snapshots of days after `after` that can be read, with their facts, oldest first; where
    several trees have a day, the last one's."""
    for file in day_files(SNAPSHOTS, *trees, organization_id=organization_id):
        if file.day > after and (facts := known_facts(file.path)):
            yield file, facts


def snapshot_days(data: DataDirectory, organization_id: str) -> Iterator[date]:
    """The days for which the organization has a snapshot, readable or not, oldest first."""
    return (file.day for file in day_files(SNAPSHOTS, data, organization_id=organization_id))


def organizations_known(data: DataDirectory) -> list[str]:
    """The ids of all organizations that have a snapshot or an observation."""
    files = {file.organization_id: file for file in day_files(SNAPSHOTS, data)}
    observed = organizations_observed(data)
    # A copied folder is called by no organization's id, though what is in it is like ours.
    return sorted({*observed, *(one for one, file in files.items() if one in observed or known_facts(file.path))})


def same_snapshot(
    connection: duckdb.DuckDBPyConnection, facts: SnapshotFacts, data: DataDirectory
) -> SnapshotFacts | None:
    """The facts of the published snapshot where it says what `license_assignments` and `facts` say, run and hour apart.

    Where there is a published snapshot, it becomes the relation `published_snapshot`.
    """
    path = snapshot_file(data, facts.snapshot_date, facts.organization_id)
    published = standing_facts(path)
    if published is None:
        return None
    parquet_view(connection, "published_snapshot", [path], LICENSE_ASSIGNMENTS)
    if _comparable(published) != _comparable(facts) or not pq.read_schema(path).equals(LICENSE_ASSIGNMENTS):
        return None
    return None if connection.execute(sql_file(__file__, "one_difference")).fetchall() else published


def _comparable(facts: SnapshotFacts) -> SnapshotFacts:
    """Without what differs from run to run though the day is the same."""
    told = {"observed_at": datetime.min, "run_id": "", "observation": "", "foreign": 0}
    return msgspec.structs.replace(facts, **told, loaded_at=None, loaded_by=None, reason=None)
