"""What one run of `license_assignments` does, day by day: derives or fills, publishes, and tells Dagster of each day
that lies there whole. What could not be done is a sentence, and the others go on."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import dagster as dg

from assets.days import require_over
from assets.errors import BadReference, ImpossibleDay, PublishFailed, SnapshotRefused, WrongUse
from assets.extraction.landing import Observation
from assets.extraction.unforeseen import sentence_of
from assets.orchestration.failures import Failure
from assets.orchestration.names import Names
from assets.orchestration.steps import ASSIGNMENTS, OBSERVATION, DayEvent, day_event, version_tags
from assets.resources import Installation
from assets.snapshots.ending import Derived
from assets.snapshots.imported.kept import read_kept, stage_kept
from assets.snapshots.past.fill import Feeds, Filling, derived_and_published, fill, published
from assets.snapshots.past.plan import Action, DayPlan, Source, Wish, folded_by_organization, plan
from assets.snapshots.schema import Provenance
from assets.snapshots.snapshot import organizations_known
from assets.snapshots.whole_days import WholeDays, day_metadata, day_version

log = logging.getLogger(__name__)


class SnapshotConfig(dg.Config):
    """What a person may decide about one run. All but the first are about days that this run does not itself observe.

    `source` is one of REPLAY and RECONSTRUCT, or null for whichever can answer; `imported` names a file that
    `licenses import` has kept: <organization>/<folder>.
    """

    accept_drop: bool = False
    source: Source | None = None
    replace: bool = False
    only_missing: bool = False
    reason: str = ""
    imported: str = ""

    @property
    def wish(self) -> Wish:
        return Wish(self.source, self.replace, self.only_missing)


@dataclass
class Run:
    """One run of the asset: what it is given, and what has come of it so far."""

    context: dg.AssetExecutionContext
    config: SnapshotConfig
    given: Installation
    names: Names
    there: WholeDays
    failures: list[Failure]
    derived: list[Derived] = field(default_factory=list)
    refused: list[SnapshotRefused] = field(default_factory=list)
    kept: int = 0

    @property
    def key(self) -> dg.AssetKey:
        return self.names.key(ASSIGNMENTS)

    @cached_property
    def how(self) -> Filling:
        limits = replace(self.given.guard, accepted=self.config.accept_drop)
        staged, run_id = self.given.staged(self.context.run), self.context.run.run_id
        return Filling(self.given.data, staged, self.given.clock.now(), run_id, self.config.reason or None, limits)

    def publish(self, observed: list[Observation]) -> Iterator[DayEvent]:
        """The days that this very run has observed, or found observed: derived, guarded and put in place.

        One organization's failure is a sentence, and the others go on.
        """
        for observation in observed:
            manifest = observation.manifest
            try:
                loading = self.how.loading._replace(at=self.given.clock.now(), reason="observed again")
                self._add(derived_and_published(observation, self.how, loading))
            except (SnapshotRefused, BadReference, PublishFailed) as error:
                self._refuse(manifest.organization_id, str(error), error)
            except Exception as error:
                title = f"{manifest.organization_name or manifest.organization_id} ({manifest.organization_id})"
                self._refuse(
                    manifest.organization_id,
                    f"{title}, {manifest.day}: {sentence_of(error).rstrip('.')}. The snapshot was not published and "
                    f"the last one stands; what the API said is kept in the landing folder {manifest.observation}.",
                )
        yield from self._events(sorted({one.manifest.day for one in observed}))

    def fill(self, past: list[date]) -> Iterator[DayEvent]:
        """Past days by plan, each told as soon as it lies there whole."""
        given, data = self.given, self.given.data
        with ExitStack() as stack:
            feeds = Feeds(given.api.credentials, given.api.base_url, stack, given.api.patience())
            plans = plan(data, organizations_known(data), past, self.config.wish, given.clock.now(), feeds.prove)
            if not plans:
                raise ImpossibleDay(
                    f"{past[0]} cannot be filled: there is no snapshot yet to start from. Take one first: "
                    "licenses snapshot."
                )
            yield from self._follow(plans, feeds)

    def _follow(self, plans: list[DayPlan], feeds: Feeds) -> Iterator[DayEvent]:
        refused = [one for one in plans if one.action is Action.IMPOSSIBLE]
        kept = [one.day for one in plans if one.action is Action.KEEP]
        left = Counter(one.day for one in plans if one.action in (Action.REPLAY, Action.RECONSTRUCT))
        # Days that stay as they are are told, too: what a run was asked for and has not told, Dagster shows as failed
        # should anything else in the run fail, and for good; its backfills always do.
        yield from self._events(sorted({day for day in kept if not left[day]}))
        self.kept += len(kept)
        try:
            for one, derived in fill(plans, feeds, self.how):
                log.info("%s: %s", one.day, one.action.value, extra={"done": True})
                if derived:
                    self._add(derived)
                else:
                    refused.append(one)
                left[one.day] -= 1
                if not left[one.day]:
                    yield from self._events([one.day])
        finally:
            for organization_id, sentence in folded_by_organization(refused):
                self._refuse(organization_id, sentence)
            self.refused += [one.refusal for one in refused if one.refusal]

    def import_kept(self, past: list[date]) -> Iterator[DayEvent]:
        """The one day that a kept file tells of, published as a filled day is."""
        kept, how = read_kept(self.given.data, self.config.imported), self.how
        if past != [kept.manifest.day]:
            raise WrongUse(
                f"{self.config.imported} is a file for {kept.manifest.day} and no other day: run it for that one."
            )
        require_over(kept.manifest.day, self.given.clock.now(), self.given.clock.first)
        self._add(published(stage_kept(kept, how.data, how.staged, how.loading, replace=self.config.replace), how))
        yield from self._events(past)

    def damaged(self) -> list[Failure]:
        """Of what was observed: the files of other nights without which its last uses had to be told. The warehouse
        names each night what it could not read, whenever that was damaged."""
        return [
            Failure(one.facts.organization_id, str(bad))
            for one in self.derived
            if one.facts.provenance is Provenance.OBSERVED
            for bad in one.damaged
        ]

    def _add(self, made: Derived) -> None:
        self.derived.append(made)
        self.there.add(made.facts)

    def _refuse(self, organization_id: str, sentence: str, error: Exception | None = None) -> None:
        self.failures.append(Failure(organization_id, sentence))
        if isinstance(error, SnapshotRefused):
            self.refused.append(error)

    def _events(self, days: list[date]) -> Iterator[DayEvent]:
        for day in days:
            if there := self.there.published(day):
                observed, event = self.names.key(OBSERVATION), self._observed.get(day.isoformat())
                tags = version_tags(self.context.run.run_id, day_version(there), observed, event)
                closed = all(facts.is_final for facts in there)
                yield day_event(self.key, day, day_metadata(there), closed=closed, tags=tags)

    @cached_property
    def _observed(self) -> Mapping[str, int]:
        """The newest event of each day's observation, which its snapshot is made after."""
        events: Mapping[str, int] = self.context.instance.event_log_storage.get_latest_storage_id_by_partition(
            self.names.key(OBSERVATION), dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        return events
