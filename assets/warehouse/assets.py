"""The Dagster asset `warehouse`: publishes what the run has staged, together with the relations made from it."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from assets.days import yesterday
from assets.failures import recorded
from assets.resources import DataFolder, PipelineClock
from assets.sentences import told
from assets.warehouse.build import RELATIONS, newest_days
from assets.warehouse.publish import publish

FRESH = "every_organization_is_fresh"


def warehouse_assets() -> list[dg.AssetsDefinition]:
    """The assets of this folder; they are made once per run, whatever its days."""

    @dg.asset(
        deps=["license_assignments"],
        group_name="warehouse",
        kinds={"duckdb", "sql"},
        owners=["team:analytics"],
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=30), warn_window=timedelta(hours=26)
        ),
        check_specs=[
            dg.AssetCheckSpec(FRESH, asset="warehouse", description="Each organization's last snapshot is yesterday's.")
        ],
    )
    def warehouse(
        context: dg.AssetExecutionContext, data: DataFolder, clock: PipelineClock
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """warehouse.duckdb: everything that analysts need, replaced as a whole file, never locked."""
        staged = data.staged(context.run)
        failures = recorded(staged)
        with told():
            moved = publish(data.tree, staged)
        newest = newest_days(data.tree)
        stale = {title: day for title, day in newest.items() if day < yesterday(clock.now())}
        yield dg.MaterializeResult(
            metadata={
                "relations": list(RELATIONS),
                "published_files": len(moved),
                "path": dg.MetadataValue.path(str(data.tree.warehouse)),
            }
        )
        yield dg.AssetCheckResult(
            check_name=FRESH,
            passed=not stale,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={title: day.isoformat() for title, day in newest.items()},
        )
        if failures:
            # After publishing: the other organizations' snapshots are whole and must not wait for this one.
            raise dg.Failure("\n".join(failure.sentence for failure in failures), allow_retries=False)

    return [warehouse]
