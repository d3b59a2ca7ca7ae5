"""The Dagster assets of the warehouse: each relation, and last `warehouse`, the published file that holds them.

One step makes them all; in the lineage each stands for itself, after the relations that its SQL reads.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg

from assets.days import yesterday
from assets.failures import recorded
from assets.layout import DataDirectory
from assets.resources import DataFolder, PipelineClock
from assets.sentences import told
from assets.warehouse.build import newest_days
from assets.warehouse.checks import ChecksFailed, Finding, assumption, checks
from assets.warehouse.lineage import SNAPSHOTS, WAREHOUSE, observed, relation_specs
from assets.warehouse.publish import publish
from assets.warehouse.relations import relations

FRESH = "every_organization_is_fresh"
Result = dg.MaterializeResult[None] | dg.AssetCheckResult


def warehouse_assets() -> list[dg.AssetsDefinition]:
    """The assets of this folder; they are made once per run, whatever its days."""

    @dg.multi_asset(
        specs=[*relation_specs(), _warehouse_spec()],
        check_specs=_check_specs(),
        can_subset=True,  # whichever are selected, the file is made whole
        group_name="warehouse",
    )
    def warehouse_file(context: dg.AssetExecutionContext, data: DataFolder, clock: PipelineClock) -> Iterator[Result]:
        """warehouse.duckdb: everything that analysts need, replaced as a whole file, never locked."""
        staged = data.staged(context.run)
        failures = recorded(staged)
        with told():
            try:
                published = publish(data.tree, staged, clock.now())
            except ChecksFailed as error:
                yield from _check_results(context, error.findings)
                raise
        chosen = context.selected_asset_keys
        for key, metadata in observed(data.tree.warehouse).items():
            if key in chosen:
                yield dg.MaterializeResult(asset_key=key, metadata=metadata)
        if WAREHOUSE in chosen:
            yield dg.MaterializeResult(asset_key=WAREHOUSE, metadata=_metadata(data.tree, len(published.files)))
        yield from _check_results(context, ())
        yield from _freshness(context, data.tree, clock)
        sentences = [*(failure.sentence for failure in failures), *map(str, published.damaged)]
        if sentences:
            # After publishing: the other organizations' snapshots are whole and must not wait for this one.
            raise dg.Failure("\n".join(dict.fromkeys(sentences)), allow_retries=False)

    return [warehouse_file]


def _warehouse_spec() -> dg.AssetSpec:
    return dg.AssetSpec(
        WAREHOUSE,
        deps=[SNAPSHOTS, *(spec.key for spec in relation_specs())],
        description="warehouse.duckdb: everything that analysts need, replaced as a whole file, never locked.",
        kinds={"duckdb", "sql"},
        owners=["team:analytics"],
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=30), warn_window=timedelta(hours=26)
        ),
    )


def _check_specs() -> list[dg.AssetCheckSpec]:
    fresh = dg.AssetCheckSpec(FRESH, asset=WAREHOUSE, description="Each organization's last snapshot is yesterday's.")
    return [fresh, *(dg.AssetCheckSpec(check, asset=WAREHOUSE, description=assumption(check)) for check in checks())]


def _check_results(context: dg.AssetExecutionContext, findings: tuple[Finding, ...]) -> Iterator[dg.AssetCheckResult]:
    """Each check that ran on the new file, before it was published or refused."""
    failed = {finding.check: finding for finding in findings}
    for check in checks():
        if dg.AssetCheckKey(WAREHOUSE, check) in context.selected_asset_check_keys:
            finding = failed.get(check)
            found: dict[str, Any] = (
                {"findings": finding.count, "examples": list(finding.examples)} if finding else {"findings": 0}
            )
            yield dg.AssetCheckResult(asset_key=WAREHOUSE, check_name=check, passed=finding is None, metadata=found)


def _freshness(
    context: dg.AssetExecutionContext, tree: DataDirectory, clock: PipelineClock
) -> Iterator[dg.AssetCheckResult]:
    if dg.AssetCheckKey(WAREHOUSE, FRESH) not in context.selected_asset_check_keys:
        return
    newest = newest_days(tree)
    yield dg.AssetCheckResult(
        asset_key=WAREHOUSE,
        check_name=FRESH,
        passed=all(day >= yesterday(clock.now()) for day in newest.values()),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={title: day.isoformat() for title, day in newest.items()},
    )


def _metadata(tree: DataDirectory, published_files: int) -> dict[str, Any]:
    return {
        "relations": [relation.name for relation in relations() if not relation.is_internal],
        "published_files": published_files,
        "path": dg.MetadataValue.path(str(tree.warehouse)),
    }
