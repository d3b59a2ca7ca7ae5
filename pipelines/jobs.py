"""The one job, and when it runs: every night at 02:00 UTC for the day before."""

from datetime import UTC, timedelta

import dagster as dg

from assets.days import yesterday
from assets.warehouse.lineage import asset_names

NIGHTLY = "nightly"
BACKFILL = "backfill"
STEPS = ("observation", "license_assignments", "warehouse")
"""The assets that one run makes, one a step; the warehouse's step makes its relations, too."""


def nightly_job() -> "dg.UnresolvedAssetJobDefinition":
    """Observe, derive and publish one day; the same job from the schedule, the UI and the command line."""
    return dg.define_asset_job(
        NIGHTLY,
        selection=[*STEPS[:-1], *asset_names()],
        description="One night: the organizations' answers, their snapshot, and the warehouse.",
        tags={"dagster/max_runtime": str(int(timedelta(hours=6).total_seconds()))},
    )


def backfill_job() -> "dg.UnresolvedAssetJobDefinition":
    """Fill past days from the landing or the Activity Feed, and publish them; never asks for today's state."""
    return dg.define_asset_job(
        BACKFILL,
        selection=[*STEPS[1:-1], *asset_names()],
        description="Past days: replayed from the landing, or reconstructed from the Activity Feed.",
    )


def nightly_schedule(job: "dg.UnresolvedAssetJobDefinition") -> dg.ScheduleDefinition:
    """02:00 UTC for yesterday. A tick made up for after an outage is skipped where its day is over for too long."""

    @dg.schedule(
        job=job,
        cron_schedule="0 2 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night at 02:00 UTC, for the day that has just ended.",
    )
    def nightly_at_two(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from datetime import datetime

        day = yesterday(context.scheduled_execution_time)
        now = datetime.now(UTC)
        if day < yesterday(now):
            return dg.SkipReason(
                f"{day} can no longer be observed on {now.date()}: today's state must not stand under a past day. "
                "It stays a gap."
            )
        return dg.RunRequest(run_key=day.isoformat(), partition_key=day.isoformat())

    return nightly_at_two
