"""The composition root: which assets, on which days, with which resources; workspace.yaml points here."""

import warnings
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from pipelines.settings import Settings


@dg.definitions
def defs() -> dg.Definitions:
    """Everything that Dagster runs here, from the environment's settings."""
    from pipelines import settings

    return build(settings.load())


def build(settings: "Settings", **resources: object) -> dg.Definitions:
    """The definitions for given settings; `resources` replaces some of them by name, for tests and the sandbox."""
    # Single-run backfills and freshness policies are what this stands on, beta or not.
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    from assets.assignments.assets import assignments_assets
    from assets.extraction.assets import extraction_assets
    from assets.partitions import daily
    from assets.reports.assets import report_assets
    from assets.resources import AdminApi, Guard, PipelineClock
    from assets.warehouse.assets import warehouse_assets
    from pipelines.jobs import backfill_job, nightly_job
    from pipelines.monthly import report_job, report_schedule
    from pipelines.running import RunningFolder
    from pipelines.schedule import gaps_schedule, nightly_schedule

    days = daily(settings.licenses_first_day, settings.now)
    nightly, backfill, monthly = nightly_job(), backfill_job(), report_job()
    reports = report_assets(settings.licenses_first_day, settings.now)
    return dg.Definitions(
        assets=[*extraction_assets(days), *assignments_assets(days), *warehouse_assets(), *reports],
        jobs=[nightly, backfill, monthly],
        schedules=[nightly_schedule(nightly, settings), gaps_schedule(backfill, settings), report_schedule(monthly)],
        executor=dg.in_process_executor,
        resources={
            "api": AdminApi(
                base_url=settings.anthropic_base_url,
                key_envs=settings.key_envs,
                list_minutes=settings.licenses_list_minutes,
                night_minutes=settings.licenses_night_minutes,
            ),
            "data": RunningFolder(path=str(settings.data.root)),
            "clock": PipelineClock(
                fixed=settings.licenses_now.isoformat() if settings.licenses_now else "",
                first_day=settings.licenses_first_day.isoformat(),
            ),
            "guard": Guard(percent=settings.licenses_drop_percent, holders=settings.licenses_drop_holders),
            **resources,
        },
    )
