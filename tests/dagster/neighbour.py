"""Somebody else's code location: an asset of theirs reads the published day that ours calls green."""

import os
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

UPSTREAM = dg.AssetKey(["claude_licenses", "license_assignments"])
DAYS = dg.DailyPartitionsDefinition("2026-06-01", timezone="UTC")


@dg.asset(partitions_def=DAYS, deps=[UPSTREAM])
def licenses_in_use(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """How many rows the day's published snapshot has; a day that is not there is an error."""
    dataset = Path(os.environ["LICENSES_DATA_DIR"]) / "snapshots" / "license_assignments"
    files = [*(dataset / f"snapshot_date={context.partition_key}").glob("organization_id=*/part.parquet")]
    assert files, f"{context.partition_key} is called green, and nothing lies there"
    return dg.MaterializeResult(metadata={"rows": sum(pq.ParquetFile(file).metadata.num_rows for file in files)})


follow = dg.define_asset_job("follow", [licenses_in_use])


@dg.asset_sensor(asset_key=UPSTREAM, job=follow)
def when_a_day_is_green(
    context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry
) -> dg.RunRequest | dg.SkipReason:
    """Start on each day that is materialized."""
    materialized = asset_event.asset_materialization
    assert materialized
    return dg.RunRequest(partition_key=materialized.partition)


defs = dg.Definitions(assets=[licenses_in_use], jobs=[follow], sensors=[when_a_day_is_green])
