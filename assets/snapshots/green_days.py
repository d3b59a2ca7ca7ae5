"""Whether every day that Dagster shows green still lies there. What somebody has removed by hand stays green: Dagster's
own storages cannot take back one partition. So a check says it, which only looks."""

from datetime import date

import dagster as dg

from assets.orchestration.names import Names
from assets.orchestration.steps import ASSIGNMENTS
from assets.resources import Installation
from assets.snapshots.whole_days import WholeDays
from assets.spans import spans, told_spans

LIES_THERE = "every_green_day_lies_there"
MOST_COMMANDS = 5


def green_days_check(names: Names) -> dg.AssetChecksDefinition:
    """The check; executed alone, it reads the names of files and what the instance knows."""
    key = names.key(ASSIGNMENTS)

    @dg.asset_check(
        asset=key,
        name=LIES_THERE,
        required_resource_keys={names.resource},
        description="Of every day that Dagster shows as materialized, each organization's snapshot is published.",
    )
    def every_green_day_lies_there(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        """The names of the published files, held against the grid."""
        given = Installation.given_to(context, names)
        there = WholeDays.of(given)
        return green_days(context.instance, key, there)

    return every_green_day_lies_there


def lost_days(opened: dg.DagsterInstance, key: dg.AssetKey, there: WholeDays) -> list[date]:
    """The days that are green, and of which a file is missing."""
    green = sorted(map(date.fromisoformat, opened.get_materialized_partitions(key)))
    return [day for day in green if not there.lies_there(day)]


def green_days(opened: dg.DagsterInstance, key: dg.AssetKey, there: WholeDays) -> dg.AssetCheckResult:
    """What the check finds now, with the commands that fill what is missing, where anything can."""
    lost = lost_days(opened, key, there)
    commands = [f"licenses backfill --from {first} --to {last}" for first, last in spans(lost)]
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=LIES_THERE,
        passed=not lost,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"lost": told_spans(lost), "fill": commands[:MOST_COMMANDS]} if lost else {},
    )
