"""Small worlds on disk: snapshot and usage files written as the project writes them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from assets.engine import engine
from assets.extraction.coverage import UsageFacts
from assets.layout import DataDirectory, snapshot_file, usage_file
from assets.snapshots.ending import Loading, stage
from assets.snapshots.license_types import LICENSE_TYPES, license_types
from assets.snapshots.schema import COVERAGE, LICENSE_ASSIGNMENTS, USAGE, Provenance
from assets.snapshots.snapshot import SnapshotFacts, write_table
from assets.warehouse.build import build
from assets.warehouse.publish import publish
from pipelines.subjects import SUBJECTS

Row = dict[str, Any]
ROSTERS = {"user": "users", "api_key": "api_keys", "invite": "invites"}
NOBODY: Row = {
    "license_type": "User",
    "role": "user",
    "status": "Active",
    "last_used_state": "unknown",
}


@dataclass(frozen=True)
class Snapshot:
    """One organization's day: for each kind of holder its rows by id; a roster that is not there is unknown."""

    organization: str
    day: date
    rosters: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)
    is_final: bool = True
    counts: Mapping[str, int] = field(default_factory=dict)
    name: str | None = "Org"
    workspaces: bool | None = None
    default_workspace: str | None = None

    @property
    def observed_at(self) -> datetime:
        return datetime.combine(self.day + timedelta(days=1), time(2), UTC)

    def rows(self) -> list[Row]:
        """What stands in the file, by its columns' names."""
        return [self._row(kind, who, row) for kind, roster in self.rosters.items() for who, row in roster.items()]

    def _row(self, kind: str, who: str, row: Row) -> Row:
        given = {"organization_name": self.name, **NOBODY, **row, "holder_type": kind, "holder_id": who}
        given |= {"provenance": "observed", "observed_at": self.observed_at, "run_id": f"run {self.day}"}
        return {name: given.get(name) for name in LICENSE_ASSIGNMENTS.names}

    def facts(self) -> SnapshotFacts:
        counts: dict[str, Any] = {
            noun: len(self.rosters[kind]) if kind in self.rosters else None for kind, noun in ROSTERS.items()
        }
        return SnapshotFacts(
            organization_id=self.organization,
            organization_name=self.name,
            snapshot_date=self.day,
            provenance=Provenance.OBSERVED,
            is_final=self.is_final,
            observed_at=self.observed_at,
            run_id=f"run {self.day}",
            observation="test",
            workspaces_known=self.workspaces,
            default_workspace=self.default_workspace,
            **{**counts, **self.counts},
        )


def write(tree: DataDirectory, snapshot: Snapshot, loaded_at: datetime | None = None) -> None:
    """Put a snapshot into its place in a tree."""
    place = snapshot_file(tree, snapshot.day, snapshot.organization)
    facts = msgspec.structs.replace(snapshot.facts(), loaded_at=loaded_at)
    _write(place, snapshot.rows(), LICENSE_ASSIGNMENTS, facts)


def write_usage(
    tree: DataDirectory, organization: str, observed: date, uses: Iterable[Row], left_out: Iterable[date] = ()
) -> None:
    """Put what one night's reports said into its place; each use needs holder_id, usage_date, and what differs."""
    usual = {"source": "analytics", "holder_type": "user", "matched_by": "id"}
    facts = UsageFacts(left_out=list(left_out))
    _write(usage_file(tree.usage, observed, organization), [usual | use for use in uses], USAGE, facts)


def write_coverage(
    tree: DataDirectory,
    organization: str,
    observed: date,
    since: date,
    kind: str = "user",
    *,
    until: date | None = None,
    endpoint: str = "analytics_usage",
    sees: str | None = "all",
) -> None:
    """A report that sees holders of one kind has reached the days from `since` to `until`, by default `observed`."""
    row: dict[str, Any] = {"source": endpoint, "endpoint": endpoint, "holder_type": kind, "sees": sees}
    row |= {"covered_from": since, "covered_to": until or observed}
    _write(usage_file(tree.coverage, observed, organization), [row], COVERAGE)


def _write(place: Path, rows: list[Row], columns: pa.Schema, facts: msgspec.Struct | None = None) -> None:
    with duckdb.connect(":memory:") as connection:
        write_table(place, connection.from_arrow(_table(rows, columns)), columns, facts)


def _table(rows: list[Row], columns: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in columns.names} for row in rows], columns)


@dataclass
class World:
    """A data directory that is published into night by night."""

    root: Path
    nights: int = 0

    @property
    def tree(self) -> DataDirectory:
        return DataDirectory(self.root)

    def publish(self, *snapshots: Snapshot, at: datetime | None = None) -> None:
        """Stage and publish, as a run does."""
        self.nights += 1
        staged = self.tree.staging(f"run {self.nights}")
        at = at or datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=self.nights)
        for snapshot in snapshots:
            write(staged, snapshot, loaded_at=at)
        publish(SUBJECTS, self.tree, staged, at)

    def load(self, snapshot: Snapshot, at: datetime) -> None:
        """Stage a version of a day as a run at that time would, what it replaces kept, and publish it."""
        self.nights += 1
        staged = self.tree.staging(f"run {self.nights}")
        types = license_types(self.tree.reference(LICENSE_TYPES), snapshot.day)
        with engine(staged.root) as connection:
            connection.register("license_types", types)
            connection.from_arrow(_table(snapshot.rows(), LICENSE_ASSIGNMENTS)).create("license_assignments")
            stage(connection, snapshot.facts(), self.tree, staged, Loading(at, f"run {self.nights}"))
        publish(SUBJECTS, self.tree, staged, at)

    def anew(self) -> Path:
        """The warehouse of the published files alone, built in another place without the one that is there."""
        self.nights += 1
        elsewhere = self.root / f"anew {self.nights}"
        elsewhere.mkdir()
        for folder in ("snapshots", "usage", "mappings", "restatements", "superseded", "reference"):
            if (self.root / folder).exists():
                (elsewhere / folder).symlink_to(self.root / folder)
        with engine(elsewhere) as connection:
            build(
                connection,
                SUBJECTS,
                DataDirectory(elsewhere),
                DataDirectory(elsewhere / "nothing"),
                elsewhere / "w.duckdb",
            )
            connection.execute("use memory")
            connection.execute("detach warehouse")
        return elsewhere / "w.duckdb"

    def ask(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return ask(self.tree.warehouse, query, *parameters)


def ask(warehouse: Path, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """The answer of a warehouse file, opened for it alone."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(query, parameters).fetchall()
