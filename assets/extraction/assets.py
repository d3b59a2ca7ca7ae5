"""The Dagster asset `observation`: each organization's answers of one day, raw, in the landing."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from assets.days import is_final, require_observable
from assets.errors import LicenseHistoryError, ListFailed
from assets.extraction.coverage import covered_to, spoke_to
from assets.extraction.landing import Observation
from assets.extraction.observe import observe
from assets.extraction.organizations import Access, opened
from assets.failures import Failure, record
from assets.resources import AdminApi, DataFolder, PipelineClock
from assets.sentences import told

COMPLETE = "every_organization_is_complete"


def extraction_assets(days: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The assets of this folder, partitioned by `days`."""

    @dg.asset(
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="extraction",
        kinds={"python", "json"},
        owners=["team:operations"],
        check_specs=[
            dg.AssetCheckSpec(COMPLETE, asset="observation", description="Every configured organization was observed.")
        ],
    )
    def observation(
        context: dg.AssetExecutionContext, api: AdminApi, data: DataFolder, clock: PipelineClock
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """The Admin API's answers as they came: every page of every list that the keys reach, with a manifest.

        Grain: one folder per organization, day and observation. Only today (provisional) and yesterday can be observed.
        """
        with told():
            asked = [date.fromisoformat(key) for key in context.partition_keys]
            for day in asked:
                require_observable(day, clock.now(), clock.first)
            seen, failures = _observe_all(context, asked, api, data, clock)
            record(data.staged(context.run), failures)
            if not seen:
                raise ListFailed("\n".join(failure.sentence for failure in failures))
        for done in seen:
            context.add_asset_metadata(_counts(done), partition_key=done.manifest.day.isoformat())
        yield dg.MaterializeResult(metadata={"organizations": len(seen)})
        yield dg.AssetCheckResult(
            check_name=COMPLETE,
            passed=not failures,
            metadata={"missing": [failure.sentence for failure in failures]},
        )

    return [observation]


def _observe_all(
    context: dg.AssetExecutionContext, asked: list[date], api: AdminApi, data: DataFolder, clock: PipelineClock
) -> tuple[list[Observation], list[Failure]]:
    """Every organization on its own: one's failure is a sentence, and the others go on."""
    seen: list[Observation] = []
    with opened(api.credentials(), api.base_url) as (accesses, failures):
        for day in asked:
            for access in accesses:
                try:
                    seen.append(_observe(context, access, day, data, clock))
                except LicenseHistoryError as error:
                    failures.append(Failure(access.title, _missing(access, day, error)))
        return seen, failures


def _observe(
    context: dg.AssetExecutionContext, access: Access, day: date, data: DataFolder, clock: PipelineClock
) -> Observation:
    observed = observe(
        access,
        day,
        data=data.tree,
        observed_at=clock.now(),
        run_id=context.run.run_id,
        covered_to=covered_to(data.tree, access.organization.id, day),
        spoke_to=spoke_to(data.tree, access.organization.id, day),
    )
    for name, outcome in observed.manifest.lists.items():
        if not outcome.complete:
            context.log.info(f"{access.title}, {day}: {name} is not available to this key: {outcome.reason}")
    return observed


def _missing(access: Access, day: date, error: LicenseHistoryError) -> str:
    what = str(error).rstrip(".")
    return (
        f"{access.title}, {day}: {what}. The snapshot of {day} was not written for this organization; everything "
        "published before stands as it was."
    )


def _counts(done: Observation) -> dict[str, object]:
    rows = {name: outcome.rows for name, outcome in done.manifest.lists.items() if outcome.complete}
    return {
        "dagster/partition_row_count": sum(rows.values()),
        "provisional": not is_final(done.manifest.day, done.manifest.observed_at),
        "folder": done.folder.name,
        **rows,
    }
