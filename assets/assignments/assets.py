"""The Dagster asset `license_assignments`: one snapshot per organization and day, derived and published day by day."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import dagster as dg
import pyarrow as pa

from assets.assignments.backfill import Feeds, Filling, fill, published
from assets.assignments.derive import Derived, derive
from assets.assignments.import_kept import read_kept, stage_kept
from assets.assignments.plan import Action, Source, Wish, folded_by_organization, plan
from assets.assignments.reconcile import differences
from assets.assignments.schema import LICENSE_ASSIGNMENTS, ORGANIZATION_ID, SNAPSHOT_DATE, Provenance
from assets.assignments.snapshot import known_facts, organizations_known
from assets.assignments.whole_days import WholeDays, day_metadata, day_version
from assets.damaged import damaged_files
from assets.days import require_over
from assets.errors import (
    BadReference,
    HolderTwice,
    ImpossibleDay,
    PublishFailed,
    SnapshotRefused,
    TooManyGone,
    WrongUse,
)
from assets.extraction.feed import feed_of_last_night
from assets.extraction.handover import handed_over
from assets.extraction.landing import Observation, newest_observation, require_not_behind
from assets.extraction.unforeseen import sentence_of
from assets.failures import Failure, recorded
from assets.freshness import FRESH, fresh_spec, freshness
from assets.layout import snapshot_file
from assets.names import Names
from assets.resources import Installation
from assets.sentences import told
from assets.steps import (
    ASSIGNMENTS,
    OBSERVATION,
    DayEvent,
    comes_with,
    day_event,
    days_of,
    end,
    version_tags,
    without_events,
    without_result,
)

log = logging.getLogger(__name__)

UNIQUE, GUARDED, MAPPED = "one_row_per_holder", "drop_guard", "every_role_is_mapped"
RECONCILED = "last_night_reconciles"
MOST_EXAMPLES = 20

Event = DayEvent | dg.MaterializeResult[None] | dg.AssetCheckResult | dg.Output[None]


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


def assignments_assets(
    days: dg.PartitionsDefinition, names: Names, automation: dg.AutomationCondition[dg.AssetKey] | None
) -> list[dg.AssetsDefinition]:
    """The assets of this folder, partitioned by `days`."""
    key = names.key(ASSIGNMENTS)

    @dg.asset(
        key=key,
        partitions_def=days,
        deps=[names.key(OBSERVATION)],
        backfill_policy=dg.BackfillPolicy.single_run(),
        automation_condition=automation,
        pool=names.pool,  # past days may need the Activity Feed
        kinds={"duckdb", "parquet"},
        metadata={"dagster/column_schema": column_schema([SNAPSHOT_DATE, ORGANIZATION_ID, *LICENSE_ASSIGNMENTS])},
        check_specs=_check_specs(key),
        required_resource_keys={names.resource},
        **names.attributes,
    )
    def license_assignments(context: dg.AssetExecutionContext, config: SnapshotConfig) -> Iterator[Event]:
        """Who holds which license at the close of the day, since when, and when it was last used, as Parquet.

        Grain: one row per holder (member, API key, pending invite), organization and day. Each day is published here,
        and materialized when it lies there whole: derived from what this run observed, or filled from the landing or
        the Activity Feed, or refused. A day that is not over is published as provisional, and not materialized.
        """
        given = Installation.given_to(context, names)
        with told():
            require_not_behind(given.data, given.clock.now())
            run = _Run(context, config, given, names, WholeDays.of(given.data, given.api.key_envs.values()))
            handed = handed_over(given.data, run.how.staged)
            if handed is None and comes_with(context, names, OBSERVATION):
                raise PublishFailed(
                    f"What the step {OBSERVATION} of this run has handed over does not lie in {given.data.root}. All "
                    "steps of a run need the same data directory: where they run on several machines or in "
                    "containers, on a disk that they share (LICENSES_DATA_DIR)."
                )
            asked = days_of(context)
            observed = [one for one in handed.observations if one.manifest.day in asked] if handed else []
            if handed:
                yield from run.publish(observed, whole=handed.whole)
            past = [day for day in asked if day not in {one.manifest.day for one in observed}]
            if past:
                yield from run.import_kept(past) if config.imported else run.fill(past)
            run.failures += _damaged(run.derived, run.how)
            compared, told_differently = _reconcile_last_night(run.derived, run.how)
        yield from _check_results(run, compared, told_differently)
        if not run.derived and not run.kept:
            sentences = [failure.sentence for failure in (*recorded(run.how.staged), *run.failures)]
            with told():
                raise SnapshotRefused("\n".join(dict.fromkeys(sentences)))
        yield without_events()
        end(context, names, ASSIGNMENTS, run.how.staged, run.failures)

    return [license_assignments]


def column_schema(columns: Iterable[pa.Field]) -> dg.TableSchema:
    """Arrow columns with their comments, as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                field.name,
                str(field.type),
                description=field.metadata[b"comment"].decode(),
                constraints=dg.TableColumnConstraints(nullable=field.nullable),
            )
            for field in columns
        ]
    )


@dataclass
class _Run:
    """One run of the asset: what it is given, and what has come of it so far."""

    context: dg.AssetExecutionContext
    config: SnapshotConfig
    given: Installation
    names: Names
    there: WholeDays
    derived: list[Derived] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
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

    def publish(self, observed: list[Observation], *, whole: bool) -> Iterator[DayEvent]:
        """The days that this very run has observed, or found observed: derived, guarded and put in place.

        One organization's failure is a sentence, and the others go on.
        """
        for observation in observed:
            manifest = observation.manifest
            try:
                loading = self.how.loading._replace(at=self.given.clock.now(), reason="observed again")
                made = derive(observation, self.how.data, self.how.staged, self.how.guard, loading)
                self._add(published(made, self.how))
            except (SnapshotRefused, BadReference, PublishFailed) as error:
                self._refuse(manifest.organization_id, str(error), error)
            except Exception as error:
                title = f"{manifest.organization_name or manifest.organization_id} ({manifest.organization_id})"
                self._refuse(
                    manifest.organization_id,
                    f"{title}, {manifest.day}: {sentence_of(error).rstrip('.')}. The snapshot was not published and "
                    f"the last one stands; what the API said is kept in the landing folder {manifest.observation}.",
                )
        if whole and not self.failures:
            yield from self._events(sorted({one.manifest.day for one in observed}))

    def fill(self, past: list[date]) -> Iterator[DayEvent]:
        """Past days by plan, each told as soon as it lies there whole."""
        given = self.given
        with ExitStack() as stack:
            feeds = Feeds(given.api.credentials, given.api.base_url, stack, given.api.patience())
            known = organizations_known(given.data)
            plans = plan(given.data, known, past, self.config.wish, given.clock.now(), feeds.prove)
            if not plans:
                raise ImpossibleDay(
                    f"{past[0]} cannot be filled: there is no snapshot yet to start from. Take one first: "
                    "licenses snapshot."
                )
            refused = [one for one in plans if one.action is Action.IMPOSSIBLE]
            left = Counter(one.day for one in plans if one.action in (Action.REPLAY, Action.RECONSTRUCT))
            yield from self._keep([one.day for one in plans if one.action is Action.KEEP and not left[one.day]])
            for one, derived in fill(plans, feeds, self.how):
                log.info("%s: %s", one.day, one.action.value, extra={"done": True})
                if derived:
                    self._add(derived)
                else:
                    refused.append(one)
                left[one.day] -= 1
                if not left[one.day]:
                    yield from self._events([one.day])
        self.kept += sum(one.action is Action.KEEP for one in plans)
        for one in (one for one in refused if one.action is Action.REFUSED):
            self._refuse(one.organization_id, one.why, TooManyGone(one.why))
        impossible = [one for one in refused if one.action is Action.IMPOSSIBLE]
        for organization_id, sentence in folded_by_organization(impossible):
            self._refuse(organization_id, sentence)

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

    def _add(self, made: Derived) -> None:
        self.derived.append(made)
        self.there.add(made.facts)

    def _refuse(self, organization_id: str, sentence: str, error: Exception | None = None) -> None:
        self.failures.append(Failure(organization_id, sentence))
        if isinstance(error, SnapshotRefused):
            self.refused.append(error)

    def _keep(self, days: list[date]) -> Iterator[DayEvent]:
        """Days that stay as they are are told, too: what a run was asked for and has not told, Dagster shows as failed
        should anything else in the run fail, and for good; its backfills always do."""
        yield from self._events(sorted(set(days)))

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


def _damaged(derived: list[Derived], how: Filling) -> list[Failure]:
    """Of what was observed: the files of other nights without which its last uses had to be told."""
    return [
        Failure(one.facts.organization_id, str(bad))
        for one in derived
        if one.facts.provenance is Provenance.OBSERVED
        for bad in (*damaged_files(one.facts.organization_id, how.data, how.staged), *one.damaged)
    ]


def _reconcile_last_night(derived: list[Derived], how: Filling) -> tuple[int, list[str]]:
    """How many snapshots could be held against last night's by the feed, as tonight's observation heard it, and where
    it does not lead back to them."""
    compared = 0
    found: list[str] = []
    for tonight in (one.facts for one in derived if one.facts.provenance is Provenance.OBSERVED):
        day = tonight.snapshot_date - timedelta(days=1)
        last_night = known_facts(snapshot_file(how.data, day, tonight.organization_id))
        observation = newest_observation(how.data, tonight.organization_id, tonight.snapshot_date)
        feed = feed_of_last_night(observation) if observation else None
        if last_night and feed and last_night.provenance is Provenance.OBSERVED and last_night.is_final:
            compared += 1
            try:
                differing = [str(one) for one in differences(last_night, tonight, feed, (how.data,), how.staged)]
            except Exception as error:  # a check that warns must not cost a night
                differing = [f"it could not be held against the feed: {sentence_of(error)}"]
            found += [f"{tonight.title}, {day}: {difference}" for difference in differing]
    return compared, found


def _check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Blocking are those that stop publishing; they are enforced before anything is put in place."""
    return [
        dg.AssetCheckSpec(UNIQUE, asset=key, blocking=True, description="No holder stands twice in a snapshot."),
        dg.AssetCheckSpec(
            GUARDED,
            asset=key,
            blocking=True,
            description="No snapshot lost far more holders than is plausible; a warning where only some "
            "organizations' were refused.",
        ),
        dg.AssetCheckSpec(
            RECONCILED,
            asset=key,
            description="From tonight's snapshot, the Activity Feed leads back to last night's.",
        ),
        dg.AssetCheckSpec(MAPPED, asset=key, description="license_types.csv knows every role, and we every status."),
        fresh_spec(key),
    ]


def _check_results(
    run: _Run, compared: int, told_differently: list[str]
) -> Iterator[dg.AssetCheckResult | dg.Output[None]]:
    """What the checks found; one that had nothing to compare says nothing."""
    found = {
        UNIQUE: _refusals(run, HolderTwice, looked=bool(run.derived)),
        GUARDED: _refusals(run, TooManyGone, looked=any(one.guarded for one in run.derived)),
        RECONCILED: _reconciled(run, compared, told_differently),
        MAPPED: _mapped(run),
        FRESH: freshness(run.key, run.given),
    }
    yield from (result or without_result(run.key, check) for check, result in found.items())


def _refusals(run: _Run, kind: type[SnapshotRefused], *, looked: bool) -> dg.AssetCheckResult | None:
    refused = [str(error) for error in run.refused if isinstance(error, kind)]
    if not refused and not looked:
        return None
    # An error would hold up the warehouse, too, and with it the organizations that were published.
    severity = dg.AssetCheckSeverity.WARN if refused and run.derived else dg.AssetCheckSeverity.ERROR
    name = GUARDED if kind is TooManyGone else UNIQUE
    return dg.AssetCheckResult(check_name=name, passed=not refused, severity=severity, metadata={"refused": refused})


def _reconciled(run: _Run, compared: int, differences: list[str]) -> dg.AssetCheckResult | None:
    if not compared:
        return None
    if differences:
        run.context.log.warning(f"The feed does not lead back to last night's snapshot: {'; '.join(differences[:5])}")
    found: dict[str, Any] = {
        "compared": compared,
        "differences": len(differences),
        "examples": differences[:MOST_EXAMPLES],
    }
    severity = dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(check_name=RECONCILED, passed=not differences, severity=severity, metadata=found)


def _mapped(run: _Run) -> dg.AssetCheckResult | None:
    if not run.derived:
        return None
    unmapped = sorted({word for one in run.derived for word in one.facts.unmapped})
    if unmapped:
        run.context.log.warning(f"Unknown words, kept as they are: {', '.join(unmapped)}")
    severity = dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        check_name=MAPPED, passed=not unmapped, severity=severity, metadata={"unmapped": unmapped}
    )
