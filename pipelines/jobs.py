"""The jobs: one night, and past days. When they run stands in `schedule.py`."""

from datetime import timedelta

import dagster as dg

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
