"""The Dagster asset `license_assignments`: one snapshot per organization and day, derived from the landing."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta

import dagster as dg
import pyarrow as pa

from assets.assignments.backfill import Feeds, Filling, fill, published
from assets.assignments.derive import Derived, DropGuard, Loading, derive
from assets.assignments.import_kept import read_kept, stage_kept
from assets.assignments.plan import Action, Source, Wish, plan
from assets.assignments.reconcile import differences
from assets.assignments.schema import LICENSE_ASSIGNMENTS, Provenance
from assets.assignments.snapshot import known_facts, organizations_known
from assets.damaged import damaged_files
from assets.days import require_over
from assets.errors import BadReference, ImpossibleDay, SnapshotRefused, WrongUse
from assets.extraction.feed import feed_of_last_night
from assets.extraction.handover import handed_over
from assets.extraction.landing import newest_observation, require_not_behind
from assets.extraction.unforeseen import sentence_of
from assets.failures import Failure, record, recorded
from assets.layout import DataDirectory, snapshot_file
from assets.resources import AdminApi, DataFolder, Guard, PipelineClock
from assets.sentences import told

log = logging.getLogger(__name__)

UNIQUE, GUARDED, MAPPED = "one_row_per_holder", "drop_guard", "every_role_is_mapped"
RECONCILED = "last_night_reconciles"
MOST_EXAMPLES = 20


class SnapshotConfig(dg.Config):
    """What a person may decide about one run. All but the first are about days that this run does not itself observe.

    `imported` names a file that `licenses import` has kept: <organization>/<folder>.
    """

    accept_drop: bool = False
    source: str = ""
    replace: bool = False
    only_missing: bool = False
    reason: str = ""
    imported: str = ""

    @property
    def wish(self) -> Wish:
        return Wish(Source(self.source) if self.source else None, self.replace, self.only_missing)


def assignments_assets(days: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The assets of this folder, partitioned by `days`."""

    @dg.asset(
        partitions_def=days,
        deps=["observation"],
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="assignments",
        kinds={"duckdb", "parquet"},
        owners=["team:operations"],
        metadata={"dagster/column_schema": column_schema(LICENSE_ASSIGNMENTS)},
        check_specs=[
            dg.AssetCheckSpec(UNIQUE, asset="license_assignments", description="No holder stands twice in a snapshot."),
            dg.AssetCheckSpec(
                GUARDED, asset="license_assignments", description="No snapshot lost far more holders than is plausible."
            ),
            dg.AssetCheckSpec(
                RECONCILED,
                asset="license_assignments",
                description="From tonight's snapshot, the Activity Feed leads back to last night's.",
            ),
            dg.AssetCheckSpec(
                MAPPED,
                asset="license_assignments",
                description="license_types.csv knows every role, and we every status.",
            ),
        ],
    )
    def license_assignments(
        context: dg.AssetExecutionContext,
        config: SnapshotConfig,
        api: AdminApi,
        data: DataFolder,
        clock: PipelineClock,
        guard: Guard,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """Who holds which license at the close of the day, since when, and when it was last used, as Parquet.

        Grain: one row per holder (member, API key, pending invite), organization and day. A day that this run has
        observed is published by `warehouse`; a past day is filled from the landing or the Activity Feed, or refused.
        """
        staged = data.staged(context.run)
        with told():
            require_not_behind(data.tree, clock.now())
            asked = [date.fromisoformat(key) for key in context.partition_keys]
            derived, refused = _derive_observed(asked, data, clock, context.run, guard.limits(config.accept_drop))
            told_differently = _reconcile_last_night(derived, data, staged)
            seen = {one.facts.snapshot_date for one in derived}
            past = [day for day in asked if day not in seen and not refused]
            kept = 0
            if past and config.imported:
                derived += [_import(context, past, config, data, clock)]
            elif past:
                filled, impossible, kept = _fill(context, past, config, api, data, clock)
                derived, refused = derived + filled, refused + impossible
            record(staged, [*refused, *_damaged(derived, data.tree, staged)])
            if not derived and not kept:
                raise SnapshotRefused("\n".join(failure.sentence for failure in recorded(staged)))
        for day in asked:
            of_day = [one for one in derived if one.facts.snapshot_date == day]
            context.add_asset_metadata(_counts(of_day), partition_key=day.isoformat())
        yield dg.MaterializeResult(metadata={"snapshots": len(derived)})
        unmapped = sorted({word for one in derived for word in one.facts.unmapped})
        if unmapped:
            context.log.warning(f"Unknown words, kept as they are: {', '.join(unmapped)}")
        yield dg.AssetCheckResult(check_name=UNIQUE, passed=True)  # enforced before anything is staged
        yield dg.AssetCheckResult(
            check_name=GUARDED, passed=not refused, metadata={"refused": [failure.sentence for failure in refused]}
        )
        if told_differently:
            context.log.warning(
                f"The feed does not lead back to last night's snapshot: {'; '.join(told_differently[:5])}"
            )
        yield dg.AssetCheckResult(
            check_name=RECONCILED,
            passed=not told_differently,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"differences": len(told_differently), "examples": told_differently[:MOST_EXAMPLES]},
        )
        yield dg.AssetCheckResult(
            check_name=MAPPED, passed=not unmapped, severity=dg.AssetCheckSeverity.WARN, metadata={"unmapped": unmapped}
        )

    return [license_assignments]


def column_schema(columns: pa.Schema) -> dg.TableSchema:
    """An Arrow schema with its comments, as Dagster shows it."""
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


def _derive_observed(
    asked: list[date], data: DataFolder, clock: PipelineClock, run: dg.DagsterRun, guard: DropGuard
) -> tuple[list[Derived], list[Failure]]:
    """The days that this very run has observed, or found observed: derived, guarded and staged.

    One organization's failure is a sentence, and the others go on.
    """
    derived: list[Derived] = []
    refused: list[Failure] = []
    staged = data.staged(run)
    for observation in (one for one in handed_over(staged) if one.manifest.day in asked):
        manifest = observation.manifest
        try:
            loading = Loading(clock.now(), run.run_id, "observed again")
            derived.append(derive(observation, data.tree, staged, guard, loading))
        except (SnapshotRefused, BadReference) as error:
            refused.append(Failure(manifest.organization_id, str(error)))
        except Exception as error:
            title = f"{manifest.organization_name or manifest.organization_id} ({manifest.organization_id})"
            refused.append(
                Failure(
                    manifest.organization_id,
                    f"{title}, {manifest.day}: {sentence_of(error).rstrip('.')}. The snapshot was not published and "
                    f"the last one stands; what the API said is kept in the landing folder {manifest.observation}.",
                )
            )
    return derived, refused


def _fill(
    context: dg.AssetExecutionContext,
    past: list[date],
    config: SnapshotConfig,
    api: AdminApi,
    data: DataFolder,
    clock: PipelineClock,
) -> tuple[list[Derived], list[Failure], int]:
    """Past days by plan: what was done, what cannot be done and why, and how many days stay as they are."""
    how = Filling(data.tree, data.staged(context.run), clock.now(), context.run.run_id, config.reason or None)
    with ExitStack() as stack:
        feeds = Feeds(api.credentials, api.base_url, stack, api.patience())
        plans = plan(data.tree, organizations_known(data.tree), past, config.wish, clock.now(), feeds.prove)
        done = []
        refused = [one for one in plans if one.action is Action.IMPOSSIBLE]
        for one, derived in fill(plans, feeds, how):
            log.info("%s: %s", one.day, one.action.value, extra={"done": True})
            if derived:
                done.append(derived)
            else:
                refused.append(one)
    impossible = [Failure(one.organization_id, one.refusal) for one in refused]
    if not plans:
        raise ImpossibleDay(
            f"{past[0]} cannot be filled: there is no snapshot yet to start from. Take one first: licenses snapshot."
        )
    return done, impossible, sum(one.action is Action.KEEP for one in plans)


def _import(
    context: dg.AssetExecutionContext, past: list[date], config: SnapshotConfig, data: DataFolder, clock: PipelineClock
) -> Derived:
    """The one day that a kept file tells of, published as a filled day is."""
    how = Filling(data.tree, data.staged(context.run), clock.now(), context.run.run_id, config.reason or None)
    kept = read_kept(data.tree, config.imported)
    if past != [kept.manifest.day]:
        raise WrongUse(f"{config.imported} is a file for {kept.manifest.day} and no other day: run it for that one.")
    require_over(kept.manifest.day, clock.now(), clock.first)
    return published(stage_kept(kept, how.data, how.staged, how.loading, replace=config.replace), how)


def _damaged(derived: list[Derived], *trees: DataDirectory) -> list[Failure]:
    """Of what was observed: the files of other nights without which its last uses had to be told."""
    return [
        Failure(one.facts.organization_id, str(bad))
        for one in derived
        if one.facts.provenance is Provenance.OBSERVED
        for bad in (*damaged_files(one.facts.organization_id, *trees), *one.damaged)
    ]


def _reconcile_last_night(derived: list[Derived], data: DataFolder, staged: DataDirectory) -> list[str]:
    """Where the feed, as tonight's observation heard it, does not lead back to last night's snapshot."""
    found: list[str] = []
    for tonight in (one.facts for one in derived if one.facts.provenance is Provenance.OBSERVED):
        day = tonight.snapshot_date - timedelta(days=1)
        last_night = known_facts(snapshot_file(data.tree, day, tonight.organization_id))
        observation = newest_observation(data.tree, tonight.organization_id, tonight.snapshot_date)
        feed = feed_of_last_night(observation) if observation else None
        if last_night and feed and last_night.provenance is Provenance.OBSERVED and last_night.is_final:
            try:
                differing = [str(one) for one in differences(last_night, tonight, feed, (data.tree, staged), staged)]
            except Exception as error:  # a check that warns must not cost a night
                differing = [f"it could not be held against the feed: {sentence_of(error)}"]
            found += [f"{tonight.title}, {day}: {difference}" for difference in differing]
    return found


def _counts(derived: list[Derived]) -> dict[str, object]:
    """What the UI plots per day: seats by kind of holder, unknown ones left out."""
    counts = {
        noun: sum(known)
        for noun, known in (
            ("members", [one.facts.users for one in derived if one.facts.users is not None]),
            ("api_keys", [one.facts.api_keys for one in derived if one.facts.api_keys is not None]),
            ("pending_invites", [one.facts.invites for one in derived if one.facts.invites is not None]),
        )
        if known
    }
    return {
        "dagster/partition_row_count": sum(counts.values()),
        "provisional": any(not one.facts.is_final for one in derived),
        "unchanged": all(one.unchanged for one in derived),
        **counts,
    }
