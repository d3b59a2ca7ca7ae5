"""Reconstruction: an observed snapshot rolled back through the Activity Feed, day by day, as set logic.

Nothing is made up: what the feed cannot tell is taken from an observed snapshot of the same holder, else it is null,
and an activity that contradicts the state it applies to is kept as a conflict.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date
from functools import cached_property
from pathlib import Path

import duckdb

from assets.days import end_of
from assets.engine import engine, make, parquet_view
from assets.extraction.api import ACTIVITIES
from assets.extraction.coverage import usage_files
from assets.extraction.feed import Feed
from assets.extraction.landing import read_observation
from assets.files.damaged import naming
from assets.layout import DataDirectory, conflicts_file, snapshot_file
from assets.snapshots.ending import Derived, Loading, Parameters, describe, link_invites, make_assignments, stage
from assets.snapshots.license_types import LICENSE_TYPES, license_types
from assets.snapshots.raw import load_list, load_raw
from assets.snapshots.schema import CONFLICTS, LICENSE_ASSIGNMENTS, Provenance
from assets.snapshots.snapshot import SnapshotFacts, snapshots_of, write_table
from assets.snapshots.usage import DATED, load_usage
from assets.snapshots.workspaces import default_workspace, load_default_workspace

NAMED = 3
"""So many holders stand for all in a sentence."""


@dataclass(frozen=True)
class Rollback:
    """One base snapshot and the feed that leads back from it; `day` gives any day that the feed proves."""

    connection: duckdb.DuckDBPyConnection
    base: SnapshotFacts
    data: DataDirectory
    staged: DataDirectory
    foreign: int
    """Activities of other organizations that stood in the feed, left out."""

    def rows_of(self, day: date, run_id: str) -> SnapshotFacts:
        """Make the relation `license_assignments` as it was at the close of `day`; its facts."""
        base = self.base
        known = {"members_known": base.users is not None, "invites_known": base.invites is not None}
        describe(
            self.connection,
            Parameters(base.organization_name, day, base.observed_at, run_id, Provenance.RECONSTRUCTED, **known),
        )
        self.connection.register("license_types", license_types(self.data.reference(LICENSE_TYPES), day))
        make(self.connection, __file__, "holders", "feed_holders")
        link_invites(self.connection)
        make_assignments(self.connection)
        return self._facts(day, run_id)

    def stage_day(self, day: date, loading: Loading) -> Derived:
        """Stage the reconstructed snapshot of `day`, unless the same is published already."""
        facts = self.rows_of(day, loading.run_id)
        return stage(self.connection, facts, self.data, self.staged, loading)

    def why_not(self, day: date) -> str:
        """Why the feed cannot lead back to the close of `day`, though it begins before it; empty where it can.

        It must tell at least of every addition that the base shows to have happened since: where it has missed those,
        it may have missed removals too, and of these nothing else tells.
        """
        query = "select holder_type, holder_id, added_at from feed_untold where added_at >= ? order by added_at desc"
        untold = self.connection.execute(query, [end_of(day)]).fetchall()
        if not untold:
            return ""
        named = [f"{kind} {holder} of {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for kind, holder, at in untold]
        more = " and earlier ones" if len(named) > NAMED else ""  # not how many: days with the same reason fold
        return (
            f"the Activity Feed tells less than happened: it says nothing of additions that the snapshot of "
            f"{self.base.snapshot_date} shows since ({', '.join(named[:NAMED])}{more}), so its silence about others "
            "proves nothing. Import a file that somebody kept (licenses import)"
        )

    def stage_conflicts(self) -> int:
        """Stage what contradicted itself on the way back; how many there are."""
        place = conflicts_file(self.staged, self.base.snapshot_date, self.base.organization_id)
        write_table(place, self.connection.table("feed_conflicts"), CONFLICTS)
        return int(self.connection.table("feed_conflicts").count("*").fetchall()[0][0])

    def _facts(self, day: date, run_id: str) -> SnapshotFacts:
        base = self.base
        counts = dict(
            self.connection.sql("select holder_type, count(*) from license_assignments group by 1").fetchall()
        )
        unmapped = self.connection.sql(
            """select distinct unnest([license_type, status]) as word from license_assignments
               where license_type like 'Unmapped (%' or status like 'Unmapped (%'"""
        ).fetchall()
        conflicts = self.connection.execute("select count(*) from feed_conflicts where happened_at >= ?", [end_of(day)])
        return SnapshotFacts(
            organization_id=base.organization_id,
            organization_name=base.organization_name,
            snapshot_date=day,
            provenance=Provenance.RECONSTRUCTED,
            is_final=True,
            observed_at=base.observed_at,
            run_id=run_id,
            observation=base.observation,
            users=None if base.users is None else counts.get("user", 0),
            api_keys=None if base.api_keys is None else counts.get("api_key", 0),
            invites=None if base.invites is None else counts.get("invite", 0),
            usage_sources=base.usage_sources,
            unmapped=sorted(word for (word,) in unmapped if word.startswith("Unmapped (")),
            conflicts=conflicts.fetchall()[0][0],
            foreign=self.foreign,
            workspaces_known=base.workspaces_known,
            default_workspace=default_workspace(self.connection),
        )


@dataclass
class Observed:
    """An organization's observed snapshots, whose footers are read once, and not for each day anew."""

    data: DataDirectory
    organization_id: str

    @cached_property
    def _all(self) -> list[SnapshotFacts]:
        every = (facts for _, facts in snapshots_of(self.organization_id, self.data))
        return [facts for facts in every if facts.provenance is Provenance.OBSERVED]

    @cached_property
    def _closing(self) -> list[SnapshotFacts]:
        return [facts for facts in self._all if facts.is_final]

    def after(self, day: date) -> SnapshotFacts | None:
        """The nearest later one: what a day can be rolled back from."""
        place = bisect_right(self._all, day, key=lambda facts: facts.snapshot_date)
        return self._all[place] if place < len(self._all) else None

    def before(self, day: date) -> SnapshotFacts | None:
        """The nearest earlier closing one: a rollback can be held against it."""
        place = bisect_left(self._closing, day, key=lambda facts: facts.snapshot_date)
        return self._closing[place - 1] if place else None


@contextmanager
def rolling_back(
    base: SnapshotFacts, feed: Feed, data: DataDirectory, staged: DataDirectory, base_file: str | None = None
) -> Iterator[Rollback]:
    """Load the base (from `base_file`, by default where it is published) and all that is needed to roll it back."""
    landing = data.landing(base.organization_id, base.snapshot_date) / base.observation
    observation = read_observation(landing)
    path = Path(base_file) if base_file else snapshot_file(data, base.snapshot_date, base.organization_id)
    snapshots = [file.path for file, _ in snapshots_of(base.organization_id, data)]
    usage = usage_files([data], base.organization_id, date.max)
    with engine(staged.root) as connection, naming([path, *snapshots, *usage.usage, *usage.coverage]):
        load_raw(connection, observation)
        foreign = load_list(connection, "activities", ACTIVITIES, feed.observation)
        # What happened after the look at the base is not in it, so it cannot be taken back.
        connection.execute("delete from activities where created_at > ?", [base.observed_at])
        _load_base(connection, base, feed, path)
        load_usage(connection, usage, base.organization_id)
        load_default_workspace(connection, observation)
        _load_places(connection, base)
        for relation in ("feed_transitions", "feed_base_values", "feed_timeline"):
            make(connection, __file__, relation.replace("feed_base_values", "base_values"), relation)
        _load_known(connection, snapshots)
        make(connection, __file__, "feed_conflicts")
        make(connection, __file__, "feed_untold")
        yield Rollback(connection, base, data, staged, foreign)


def _load_base(connection: duckdb.DuckDBPyConnection, base: SnapshotFacts, feed: Feed, path: Path) -> None:
    parquet_view(connection, "base_file", [path], LICENSE_ASSIGNMENTS)
    connection.execute("create table base as from base_file")
    connection.execute(
        "create table base_day as select ?::date as day, ?::timestamptz as day_end, ?::timestamptz as proved_from",
        [base.snapshot_date, end_of(base.snapshot_date), end_of(feed.proves_from)],
    )


def _load_places(connection: duckdb.DuckDBPyConnection, base: SnapshotFacts) -> None:
    """Names of workspaces; and of the default one, which the feed calls null, what the base already knew."""
    connection.execute(
        """create table workspaces as
           select id, min(name) as name from (
               select id, name from raw_workspaces
               union all
               select workspace_id, workspace_name from base where workspace_id is not null
           ) group by id"""
    )
    if base.default_workspace:
        connection.execute(
            "create or replace table default_workspace as select $id::varchar as id", {"id": base.default_workspace}
        )


def _load_known(connection: duckdb.DuckDBPyConnection, snapshots: Collection[Path]) -> None:
    """What observed snapshots of any day say of the holders that the feed tells of."""
    parquet_view(connection, "all_snapshots", snapshots, DATED, day="snapshot_date")
    connection.execute(
        """create table known as
           select holder_type, holder_id, snapshot_date, name, email, role, assigned_at
           from all_snapshots
           where provenance = 'observed'
               and (holder_type, holder_id) in (select (holder_type, holder_id) from feed_timeline)"""
    )
