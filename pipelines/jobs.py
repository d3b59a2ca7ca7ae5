"""The jobs: one night, past days, and finance's report of a month. When they run stands in `schedule.py`."""

from datetime import timedelta

import dagster as dg

from assets.orchestration.names import Names
from assets.orchestration.steps import ASSIGNMENTS, OBSERVATION, WAREHOUSE

NIGHTLY = "nightly"
BACKFILL = "backfill"
MONTHLY_REPORT = "monthly_report"


def nightly_job(names: Names) -> "dg.UnresolvedAssetJobDefinition":
    """Observe, derive and publish one day; the same job from the schedule, the UI and the command line."""
    return dg.define_asset_job(
        names.name(NIGHTLY),
        selection=[names.key(step) for step in (OBSERVATION, ASSIGNMENTS, WAREHOUSE)],
        description="One night: the organizations' answers, their snapshot, and the warehouse.",
        tags={"dagster/max_runtime": str(int(timedelta(hours=6).total_seconds()))},
    )


def backfill_job(names: Names) -> "dg.UnresolvedAssetJobDefinition":
    """Fill past days from the landing or the Activity Feed, and publish them; never asks for today's state."""
    return dg.define_asset_job(
        names.name(BACKFILL),
        selection=[names.key(step) for step in (ASSIGNMENTS, WAREHOUSE)],
        description="Past days: replayed from the landing, or reconstructed from the Activity Feed.",
    )


def report_job(names: Names) -> "dg.UnresolvedAssetJobDefinition":
    """Make one month's page and workbook; their paths stand in the run."""
    from assets.reports.assets import REPORT  # here, as who only wants a job's name needs no reports

    return dg.define_asset_job(
        names.name(MONTHLY_REPORT),
        selection=[names.key(REPORT)],
        description="Seats and their cost in a month, for finance: page and workbook.",
    )
