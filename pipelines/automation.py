"""The other way to begin a night: automation conditions, where a deployment lives by those and not by schedules.

LICENSES_AUTOMATION attaches them; they do the same as the schedule then. Only the day that has just ended is ever
asked for: today's is provisional, and older ones cannot be observed.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg

from pipelines.due import NIGHT_BEGINS
from pipelines.schedule import sensor_status
from pipelines.settings import Settings, Switch

Condition = dg.AutomationCondition[dg.AssetKey] | None

SENSOR = "automation"
HOURLY_FROM_TWO = f"0 {NIGHT_BEGINS.hour}-23 * * *"


@dataclass(frozen=True)
class Conditions:
    """When each step's assets are due; none where the schedule decides."""

    observation: Condition = None
    assignments: Condition = None
    warehouse: Condition = None


def automation_sensors(settings: Settings) -> list[dg.AutomationConditionSensorDefinition]:
    """What evaluates the conditions, for our assets alone; stopped until somebody starts it, as the schedules are."""
    if settings.licenses_automation is Switch.OFF:
        return []
    return [
        dg.AutomationConditionSensorDefinition(
            settings.names.name(SENSOR),
            target=dg.AssetSelection.key_prefixes([settings.names.prefix]),
            default_status=sensor_status(settings),
            description="Asks for the day that has ended, from 02:00 UTC on, in the place of the schedule.",
        )
    ]


def conditions(settings: Settings) -> Conditions:
    """The conditions that the settings ask for."""
    if settings.licenses_automation is Switch.OFF:
        return Conditions()
    when: Any = dg.AutomationCondition  # its own types disagree about what some conditions are of
    # Today is the latest partition, so that it can be taken as provisional; the one before it has just ended.
    just_ended = when.in_latest_time_window(timedelta(days=2)) & ~when.in_latest_time_window()
    hourly = when.cron_tick_passed(HOURLY_FROM_TWO).since_last_handled()
    renewed = when.any_deps_updated().since_last_handled()
    idle = ~when.in_progress() & ~when.any_deps_in_progress()
    # What is not whole is not materialized, so it is tried again every hour until the day closes.
    missing = when.missing() & hourly
    return Conditions(
        observation=(just_ended & missing & idle).with_label(
            "the day that has ended, every hour until it is observed whole"
        ),
        assignments=(just_ended & ~when.any_deps_missing() & (renewed | missing) & idle).with_label(
            "the day has been observed, every hour until it is published whole"
        ),
        # Not "no dependency is missing": a day that nobody observed stays missing for good.
        warehouse=((renewed | (when.execution_failed() & hourly)) & idle).with_label(
            "a day was published, every hour until the warehouse shows it"
        ),
    )
