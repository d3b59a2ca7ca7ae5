"""Reconstruction: an observed snapshot rolled back through the Activity Feed, day by day, as set logic.

Nothing is made up: what the feed cannot tell is taken from an observed snapshot of the same holder, else it is null,
and an activity that contradicts the state it applies to is kept as a conflict.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
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
    turn_to,
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
ROWS_TOGETHER = 20_000
"""So many rows, of one day or of several, are made at once."""


@dataclass(frozen=True)
class Rollback:
    """One base snapshot and the feed that leads back from it; `day` gives any day that the feed proves."""

    connection: duckdb.DuckDBPyConnection
    base: SnapshotFacts
    data: DataDirectory
    staged: DataDirectory
    foreign: int
    """Activities of other organizations that stood in the feed, left out."""
    conflicts: list[datetime]
    """When the feed contradicts itself or the base, the oldest first."""
    default_workspace: str | None

    def make_days(self, days: Sequence[date], run_id: str) -> None:
        """Make `license_assignments` as they were at the close of each of `days`, the first one in turn."""
        describe(self.connection, self._parameters(days[0], run_id), days)
        self.connection.register("license_types", license_types(self.data.reference(LICENSE_TYPES)))
        make(self.connection, __file__, "holders", "feed_holders")
        link_invites(self.connection)
        make_assignments(self.connection)

    def stage_days(self, days: Sequence[date], loading: Loading) -> Iterator[Derived]:
        """Stage the reconstructed snapshot of one of `days` after another, unless the same is published already.

        Planning the queries costs more than a day's rows: so many days are made together as memory has room for.
        """
        together = max(1, ROWS_TOGETHER // max(1, self.base.holders))
        for first in range(0, len(days), together):
            some = days[first : first + together]
            self.make_days(some, loading.run_id)
            for day in some:
                turn_to(self.connection, day)
                facts = self._facts(self._parameters(day, loading.run_id))
                yield stage(self.connection, facts, self.data, self.staged, loading)

    def _parameters(self, day: date, run_id: str) -> Parameters:
        base = self.base
        return Parameters(
            base.organization_id,
            base.organization_name,
            day,
            base.observed_at,
            run_id,
            Provenance.RECONSTRUCTED,
            base.known,
        )

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

    def stage_conflicts(self) -> None:
        """Stage what contradicted itself on the way back."""
        place = conflicts_file(self.staged, self.base.snapshot_date, self.base.organization_id)
        write_table(place, self.connection.table("feed_conflicts"), CONFLICTS)

    def _facts(self, parameters: Parameters) -> SnapshotFacts:
        since = bisect_left(self.conflicts, end_of(parameters.day))
        return facts_of(
            self.connection,
            parameters,
            self.base.observation,
            usage_sources=self.base.usage_sources,
            conflicts=len(self.conflicts) - since,
            foreign=self.foreign,
            workspaces_known=self.base.workspaces_known,
            default_workspace=self.default_workspace,
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
        conflicts = connection.execute(sql_file(__file__, "conflicts")).fetchall()
        moments = [happened_at for (happened_at,) in conflicts]
        yield Rollback(connection, base, data, staged, foreign, moments, default_workspace(connection))


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
