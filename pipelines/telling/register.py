"""Telling Dagster what lies in the data directory and its instance does not know.

Be it that an existing record has come under a new instance, that the assets' keys were changed, or that a run was
killed before it could say what it had published. Nothing is told but what lies there, with its own counts; while a run
is at work nothing is, for that tells its own days.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import dagster as dg

from assets.days import yesterday
from assets.extraction.assets import observed_event
from assets.extraction.landing import days_observed, newest_observation, organizations_observed
from assets.orchestration.names import Names
from assets.orchestration.steps import ASSIGNMENTS, OBSERVATION, DayEvent, day_event, version_tags
from assets.resources import Installation
from assets.snapshots.whole_days import WholeDays, day_metadata, day_version
from assets.spans import told_spans
from assets.warehouse.assets import file_metadata
from assets.warehouse.lineage import Lineage
from pipelines.due import done, shows_what_is_published
from pipelines.running import are_at_work, end_dead_runs
from pipelines.subjects import SUBJECTS


class AtWork(Exception):
    """A run is at work on the data directory: what it publishes, it tells itself."""


@dataclass(frozen=True)
class Looked:
    """What lies in the data directory, as one look found it while no run was at work."""

    given: Installation
    names: Names
    there: WholeDays
    landed: WholeDays
    """The same of the landing: its days are those of which it has a folder."""
    shown: bool
    """Whether the warehouse shows what is published."""

    @classmethod
    def at(cls, opened: dg.DagsterInstance, given: Installation, names: Names) -> "Looked":
        """Read the names of the files.

        Raises:
            AtWork: now is not the time.
        """
        there = WholeDays.of(given)
        days = {one: set(days_observed(given.data, one)) for one in organizations_observed(given.data)}
        landed = WholeDays(given.data, days, there.observed)
        shown = shows_what_is_published(given.data)
        # After the files, and before the instance: who has published one of those is at work, or has told of it.
        end_dead_runs(opened, given.data)
        if are_at_work(given.data):
            raise AtWork
        return cls(given, names, there, landed, shown)

    def untold(self, opened: dg.DagsterInstance) -> Iterator[DayEvent]:
        """An event for each day and file that is there whole and not materialized in the instance."""
        yield from self._snapshots(opened)
        yield from self._observations(opened)
        if self.shown and self.given.data.warehouse.exists():
            yield from self._warehouse(opened)

    def _snapshots(self, opened: dg.DagsterInstance) -> Iterator[DayEvent]:
        key = self.names.key(ASSIGNMENTS)
        for day in self._unknown(opened, key, self.there):
            if facts := self.there.closed(day):
                tags = version_tags("registered", day_version(facts), self.names.key(OBSERVATION), None)
                yield day_event(key, day, day_metadata(facts), closed=True, tags=tags)

    def _observations(self, opened: dg.DagsterInstance) -> Iterator[DayEvent]:
        key = self.names.key(OBSERVATION)
        for day in self._unknown(opened, key, self.landed):
            belonging = self.landed.organizations_of(day)
            seen = [one for one in (newest_observation(self.given.data, each, day) for each in belonging) if one]
            if len(seen) == len(belonging) and all(one.manifest.closes_its_day for one in seen):
                yield observed_event(key, day, seen)

    def _warehouse(self, opened: dg.DagsterInstance) -> Iterator[dg.AssetMaterialization]:
        lineage = Lineage(self.names, SUBJECTS)
        if opened.get_latest_materialization_event(lineage.warehouse) is None:
            yield from lineage.told(self.given.data.warehouse)
            yield dg.AssetMaterialization(lineage.warehouse, metadata=file_metadata(self.given.data, SUBJECTS))

    def _unknown(self, opened: dg.DagsterInstance, key: dg.AssetKey, there: WholeDays) -> Iterator[date]:
        known = opened.get_materialized_partitions(key)
        for day in there.every_day:
            is_ours = day >= self.given.clock.first and there.lies_there(day)
            if is_ours and day.isoformat() not in known and not self.is_left_to_its_night(day):
                yield day

    def is_left_to_its_night(self, day: date) -> bool:
        """Whether the day can still be observed, and something of it is left to ask: only a night knows whether a
        configured organization is missing."""
        if day < yesterday(self.given.clock.now()):
            return False
        return not done(self.given.data, self.given.api.key_envs.values(), day)


def in_words(events: Iterable[DayEvent]) -> list[str]:
    """What was told, one line for each asset with days, and one for the files."""
    days: dict[str, list[date]] = {}
    files = []
    for event in events:
        asset = event.asset_key.to_user_string()
        if event.partition:
            days.setdefault(asset, []).append(date.fromisoformat(event.partition))
        else:
            files.append(asset)
    # The file itself comes last, after the relations in it.
    return [f"{one}: {told_spans(its)}" for one, its in days.items()] + files[-1:]
