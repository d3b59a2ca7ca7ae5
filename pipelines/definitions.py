"""The composition root: which assets, on which days, with which resource; workspace.yaml points here."""

import sys
import warnings
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from pipelines.settings import Settings


@dg.definitions
def defs() -> dg.Definitions:
    """Everything that Dagster runs here, from the environment's settings."""
    _look_here_first()
    from pipelines import settings
    from pipelines.installation import foreign_env

    foreign_env.set_right()
    return build(settings.load())


def _look_here_first() -> None:
    """Dagster looks for packages where somebody stands: an `assets` folder there is not ours."""
    here, found = Path(__file__).resolve().parents[1], find_spec("assets")
    if not found or not found.origin or Path(found.origin).resolve().parents[1] != here:
        sys.path.insert(0, str(here))


def build(settings: "Settings", **changed: Any) -> dg.Definitions:
    """The definitions for given settings; `changed` replaces parts of what the assets are given, for the sandbox."""
    # Single-run backfills are what this stands on, beta or not.
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    from assets.resources import DropGuard, Installation
    from assets.snapshots.green_days import green_days_check
    from pipelines import jobs, schedule
    from pipelines.automation import automation_sensors
    from pipelines.running import held_by_runs
    from pipelines.telling.sensor import published_days_sensor

    names = settings.names
    guard = DropGuard(settings.licenses_drop_percent, settings.licenses_drop_holders)
    given = replace(Installation(settings.data, settings.api, settings.clock, guard), **changed)
    nightly, backfill, monthly = jobs.nightly_job(names), jobs.backfill_job(names), jobs.report_job(names)
    return dg.Definitions(
        assets=dg.with_source_code_references(_assets(settings)),
        asset_checks=[green_days_check(names)],
        jobs=[nightly, backfill, monthly],
        schedules=[
            schedule.nightly_schedule(nightly, settings),
            schedule.gaps_schedule(backfill, settings),
            schedule.report_schedule(monthly, settings),
        ],
        sensors=[published_days_sensor(given, settings), *automation_sensors(settings)],
        executor=dg.in_process_executor,
        resources={names.resource: held_by_runs(given)},
    )


def _assets(settings: "Settings") -> "list[dg.AssetsDefinition | dg.AssetSpec]":
    """In the order of the data: the API's answers, snapshots, warehouse, reports."""
    from assets.extraction.assets import extraction_assets
    from assets.orchestration.partitions import daily
    from assets.reports.assets import report_assets
    from assets.snapshots.assets import assignments_assets
    from assets.warehouse.assets import warehouse_assets
    from pipelines.automation import conditions
    from pipelines.subjects import SUBJECTS

    names, on, first_day = settings.names, conditions(settings), settings.licenses_first_day
    days = daily(first_day, settings.now)
    return [
        *extraction_assets(days, names, on.observation),
        *assignments_assets(days, names, on.assignments),
        *warehouse_assets(SUBJECTS, names, on.warehouse),
        *report_assets(SUBJECTS, first_day, settings.now, names),
    ]
