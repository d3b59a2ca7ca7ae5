"""The Dagster asset `license_assignments`: one snapshot per organization and day, derived and published day by day."""

from collections.abc import Iterable, Iterator

import dagster as dg
import pyarrow as pa

from assets.errors import PublishFailed
from assets.extraction.handover import handed_over
from assets.extraction.landing import newest_observation, organizations_observed, require_not_behind
from assets.orchestration.failures import Failure, recorded
from assets.orchestration.names import Names
from assets.orchestration.sentences import failure, told
from assets.orchestration.steps import ASSIGNMENTS, OBSERVATION, DayEvent, comes_with, days_of, end, without_events
from assets.resources import Installation
from assets.snapshots.checks import check_results, check_specs
from assets.snapshots.run import Run, SnapshotConfig
from assets.snapshots.schema import LICENSE_ASSIGNMENTS, ORGANIZATION_ID, SNAPSHOT_DATE
from assets.snapshots.whole_days import WholeDays

Event = DayEvent | dg.MaterializeResult[None] | dg.AssetCheckResult | dg.Output[None]


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
        check_specs=check_specs(key),
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
        staged = given.staged(context.run)
        failures: list[Failure] = []
        with told(lambda: [*recorded(staged), *failures]):
            require_not_behind(given.data, given.clock.now())
            run = Run(context, config, given, names, WholeDays.of(given), failures)
            yield from _days(run)
        yield from check_results(run)
        if not run.derived and not run.kept:
            sentences = [one.sentence for one in (*recorded(staged), *failures)]
            raise failure(sentences or ["There was nothing to publish."])
        yield without_events()
        end(context, names, ASSIGNMENTS, staged, failures)

    return [license_assignments]


def _days(run: Run) -> Iterator[DayEvent]:
    """The days of the run: those that its first step has observed, and those that are to be filled."""
    asked = days_of(run.context)
    handed = handed_over(run.given.data, run.how.staged)
    if handed is None and comes_with(run.context, run.names, OBSERVATION):
        _require_a_shared_disk(run)
    observed = [one for one in handed or [] if one.manifest.day in asked]
    yield from run.publish(observed)
    past = [day for day in asked if day not in {one.manifest.day for one in observed}]
    if past:
        yield from run.import_kept(past) if run.config.imported else run.fill(past)
    run.failures += run.damaged()


def _require_a_shared_disk(run: Run) -> None:
    """Nothing was handed over: it was swept with what dead runs leave (then the landing has it), or lies elsewhere.

    Raises:
        PublishFailed: the landing has nothing of the day either.
    """
    data = run.given.data
    for day in days_of(run.context):
        if not any(newest_observation(data, one, day) for one in organizations_observed(data)):
            raise PublishFailed(
                f"What the step {OBSERVATION} of this run has made of {day} does not lie in {data.root}. All steps of "
                "a run need the same data directory: where they run on several machines or in containers, on a disk "
                "that they share (LICENSES_DATA_DIR)."
            )


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
