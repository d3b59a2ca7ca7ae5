"""Reconstruction: an observed snapshot rolled back through the Activity Feed, day by day, as set logic.

Nothing is made up: what the feed cannot tell is taken from an observed snapshot of the same holder, else it is null,
and an activity that contradicts the state it applies to is kept as a conflict.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import duckdb

from assets.days import end_of
from assets.engine import engine, make, parquet_view, sql_file
from assets.extraction.api import ACTIVITIES
from assets.extraction.coverage import UsageFiles, usage_files
from assets.extraction.feed import Feed
from assets.extraction.landing import read_observation
from assets.files.damaged import naming
from assets.layout import DataDirectory, conflicts_file, snapshot_file
from assets.snapshots.ending import (
    Derived,
    Loading,
    Parameters,
    describe,
    facts_of,
    link_invites,
    make_assignments,
    stage,
)
from assets.snapshots.license_types import LICENSE_TYPES, license_types
from assets.snapshots.raw import load_list, load_rosters
from assets.snapshots.rules import load_rules
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
        parameters = Parameters(
            base.organization_id,
            base.organization_name,
            day,
            base.observed_at,
            run_id,
            Provenance.RECONSTRUCTED,
            base.known,
        )
        describe(self.connection, parameters)
        self.connection.register("license_types", license_types(self.data.reference(LICENSE_TYPES), day))
        make(self.connection, __file__, "holders", "feed_holders")
        link_invites(self.connection)
        make_assignments(self.connection)
        return self._facts(parameters)

    def stage_day(self, day: date, loading: Loading) -> Derived:
        """Stage the reconstructed snapshot of `day`, unless the same is published already."""
        facts = self.rows_of(day, loading.run_id)
        return stage(self.connection, facts, self.data, self.staged, loading)

    def why_not(self, day: date) -> str:
        """Why the feed cannot lead back to the close of `day`, though it begins before it; empty where it can.

        It must tell at least of every addition that the base shows to have happened since: where it has missed those,
        it may have missed removals too, and of these nothing else tells.
        """
        untold = self.connection.execute(sql_file(__file__, "untold_since"), {"since": end_of(day)}).fetchall()
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

    def _facts(self, parameters: Parameters) -> SnapshotFacts:
        since = end_of(parameters.day)
        conflicts = self.connection.execute(sql_file(__file__, "conflicts_since"), {"since": since})
        return facts_of(
            self.connection,
            parameters,
            self.base.observation,
            usage_sources=self.base.usage_sources,
            conflicts=conflicts.fetchall()[0][0],
            foreign=self.foreign,
            workspaces_known=self.base.workspaces_known,
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


class Beside(NamedTuple):
    """The files that are asked beside the base and the feed: snapshots, for whom the feed does not tell enough of, and
    what is known of usage."""

    snapshots: Sequence[Path]
    usage: UsageFiles

    @classmethod
    def every(cls, data: DataDirectory, organization_id: str) -> "Beside":
        """All that there are: holders may have been seen, and usage told, on any day."""
        snapshots = [file.path for file, _ in snapshots_of(organization_id, data)]
        return cls(snapshots, usage_files([data], organization_id, date.max))


@contextmanager
def rolling_back(
    base: SnapshotFacts, feed: Feed, data: DataDirectory, staged: DataDirectory, beside: Beside | None = None
) -> Iterator[Rollback]:
    """Load the base and all that is needed to roll it back: `beside`, or all that there is."""
    landing = data.landing(base.organization_id, base.snapshot_date) / base.observation
    observation = read_observation(landing)
    path = snapshot_file(data, base.snapshot_date, base.organization_id)
    snapshots, usage = beside or Beside.every(data, base.organization_id)
    with engine(staged.root) as connection, naming([path, *snapshots, *usage.usage]):
        load_rules(connection)
        load_rosters(connection, observation)
        foreign = load_list(connection, "activities_told", ACTIVITIES, feed.observation)
        _load_base(connection, base, feed, path)
        load_usage(connection, usage, base.organization_id)
        load_default_workspace(connection, observation)
        if base.default_workspace:  # the feed calls it null
            make(connection, __file__, "default_workspace", "base_workspace", id=base.default_workspace)
        parquet_view(connection, "snapshots_beside", snapshots, DATED, day="snapshot_date")
        for relation in _RELATIONS:
            make(connection, __file__, relation)
        yield Rollback(connection, base, data, staged, foreign)


_RELATIONS = (
    "activities",
    "workspaces",
    "feed_transitions",
    "base_values",
    "feed_timeline",
    "known",
    "feed_conflicts",
    "feed_untold",
)
"""What the feed tells, in the order in which one needs the other."""


def _load_base(connection: duckdb.DuckDBPyConnection, base: SnapshotFacts, feed: Feed, path: Path) -> None:
    parquet_view(connection, "base_file", [path], LICENSE_ASSIGNMENTS)
    connection.table("base_file").create("base")
    make(
        connection,
        __file__,
        "base_day",
        day=base.snapshot_date,
        day_end=end_of(base.snapshot_date),
        observed_at=base.observed_at,
        proved_from=end_of(feed.proves_from),
    )
