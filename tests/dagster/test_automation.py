"""Automation conditions in the place of the schedule, as Dagster evaluates them: ours, and a neighbour's."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.orchestration.names import Names
from assets.orchestration.partitions import daily
from assets.orchestration.steps import day_event
from pipelines import settings as settings_module
from pipelines.definitions import build
from sandbox import serving
from tests.commandline import environment_restored
from tests.scripted import KEY, ScriptedApi, as_app, user

pytestmark = pytest.mark.slow

NAMES = Names()
OBSERVATION, ASSIGNMENTS, WAREHOUSE = (NAMES.key(one) for one in ("observation", "license_assignments", "warehouse"))
DAY = date(2026, 6, 1)
NIGHT = datetime(2026, 6, 2, tzinfo=UTC)
"""When the day has just ended."""
FIRST_DAY = date(2026, 5, 1)

Asked = dict[str, set[str | None]]


@dataclass
class Daemon:
    """What Dagster's daemon asks for, evaluation after evaluation."""

    definitions: dg.Definitions
    opened: dg.DagsterInstance
    cursors: list[Any] = field(default_factory=list)

    def at(self, hour: int, minute: int = 0, *, day: date = DAY) -> Asked:
        """Evaluate at an hour of the day after `day`; answers with the partitions asked for, by asset."""
        now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) + timedelta(days=1)
        result = dg.evaluate_automation_conditions(
            self.definitions,
            self.opened,
            evaluation_time=now,
            cursor=self.cursors[-1] if self.cursors else None,
        )
        self.cursors.append(result.cursor)
        keys = self.definitions.resolve_asset_graph().get_all_asset_keys()
        asked: dict[str, Any] = {key.to_user_string(): result.get_requested_partitions(key) for key in keys}
        return {name: partitions for name, partitions in asked.items() if partitions}

    def told(self, key: dg.AssetKey, day: date, *, closed: bool = True) -> None:
        """A run has said that the day lies there."""
        self.opened.report_runless_asset_event(day_event(key, day, {}, closed=closed))


@pytest.fixture
def opened() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def ours(tmp_path: Path, **environment: str) -> dg.Definitions:
    with environment_restored():
        os.environ |= {
            "LICENSES_DATA_DIR": str(tmp_path / "data"),
            "LICENSES_FIRST_DAY": str(FIRST_DAY),
            "LICENSES_AUTOMATION": "on",
        } | environment
        return build(settings_module.load())


@pytest.fixture
def daemon(tmp_path: Path, opened: dg.DagsterInstance) -> Daemon:
    return Daemon(ours(tmp_path), opened)


NIGHTS_WORK = {OBSERVATION.to_user_string(): {str(DAY)}, ASSIGNMENTS.to_user_string(): {str(DAY)}}


def test_the_night_of_the_day_that_has_ended_is_asked_for_from_two_on_and_every_hour_until_it_is_whole(daemon: Daemon):
    assert daemon.at(0, 30) == {}
    assert daemon.at(1, 59) == {}
    assert daemon.at(2, 1) == NIGHTS_WORK, "never today, which is provisional, nor an older day"
    assert daemon.at(2, 5) == {}
    assert daemon.at(3, 1) == NIGHTS_WORK, "it failed"
    daemon.told(OBSERVATION, DAY)
    daemon.told(ASSIGNMENTS, DAY)
    daemon.at(3, 5)
    for hour in range(4, 24):
        assert not {OBSERVATION.to_user_string(), ASSIGNMENTS.to_user_string()} & daemon.at(hour, 1).keys()


def test_a_day_that_closed_unobserved_is_not_asked_for_any_more(daemon: Daemon):
    assert daemon.at(23, 30) == {}
    assert OBSERVATION.to_user_string() not in daemon.at(0, 1, day=DAY + timedelta(days=1))
    later = daemon.at(2, 1, day=DAY + timedelta(days=1))
    assert later[OBSERVATION.to_user_string()] == {str(DAY + timedelta(days=1))}


def test_a_day_that_was_observed_by_another_run_is_published_and_the_warehouse_follows_once(daemon: Daemon):
    daemon.at(1, 0)
    daemon.told(OBSERVATION, DAY)
    assert daemon.at(1, 10) == {ASSIGNMENTS.to_user_string(): {str(DAY)}}
    daemon.told(ASSIGNMENTS, DAY)
    assert daemon.at(1, 20) == {WAREHOUSE.to_user_string(): {None}}, "the file whole, never a relation in it"
    assert daemon.at(1, 30) == {}


def test_a_day_that_was_observed_and_could_not_be_published_is_tried_again_every_hour(daemon: Daemon):
    daemon.at(2, 1)
    daemon.told(OBSERVATION, DAY)
    daemon.at(2, 10)
    daemon.at(2, 20)
    for hour in (3, 4):
        assert daemon.at(hour, 1) == {ASSIGNMENTS.to_user_string(): {str(DAY)}}
        assert daemon.at(hour, 10) == {}
    daemon.told(ASSIGNMENTS, DAY)
    assert ASSIGNMENTS.to_user_string() not in daemon.at(5, 1)


def test_an_old_day_that_is_filled_renews_the_warehouse_and_asks_for_nothing_else(daemon: Daemon):
    daemon.at(1, 0)
    daemon.told(ASSIGNMENTS, DAY - timedelta(days=20))
    asked = daemon.at(1, 10)
    assert WAREHOUSE.to_user_string() in asked
    assert not {OBSERVATION.to_user_string(), ASSIGNMENTS.to_user_string()} & asked.keys()


def test_without_the_setting_nothing_of_ours_has_a_condition(tmp_path: Path):
    without = ours(tmp_path, LICENSES_AUTOMATION="off")
    assert {spec.automation_condition for spec in without.resolve_all_asset_specs()} == {None}
    assert [sensor.name for sensor in without.sensors or []] == ["claude_licenses_published_days"]


@pytest.mark.parametrize(("switch", "expected"), [("off", "STOPPED"), ("on", "RUNNING")])
def test_their_sensor_is_ours_alone_and_the_schedule_does_not_do_the_same_besides(
    tmp_path: Path, switch: str, expected: str
):
    made = ours(tmp_path, LICENSES_SCHEDULES=switch)
    assert made.resolve_sensor_def("claude_licenses_automation").default_status.value == expected
    assert made.resolve_schedule_def("claude_licenses_nightly_at_two").default_status.value == "STOPPED"
    assert made.resolve_schedule_def("claude_licenses_fill_gaps").default_status.value == expected


def neighbour(days: dg.PartitionsDefinition, condition: dg.AutomationCondition) -> dg.Definitions:
    @dg.asset(deps=[ASSIGNMENTS], partitions_def=days, automation_condition=condition)
    def seats_report() -> None: ...

    return dg.Definitions(assets=[seats_report])


CLOSING = dg.AutomationCondition.eager().replace(
    dg.AutomationCondition.in_latest_time_window(), dg.AutomationCondition.in_latest_time_window(timedelta(days=2))
)
"""What a neighbour writes who takes our partitions, of which today is the latest (docs/dagster.md)."""


@pytest.mark.parametrize(
    ("days", "condition"),
    [
        (dg.DailyPartitionsDefinition(start_date="2026-05-01"), dg.AutomationCondition.eager()),
        (daily(FIRST_DAY, NIGHT), CLOSING),
    ],
    ids=["days of its own", "our days"],
)
def test_a_neighbours_asset_fires_for_the_closing_of_yesterday_and_not_for_todays_provisional_day(
    tmp_path: Path, opened: dg.DagsterInstance, days: dg.PartitionsDefinition, condition: dg.AutomationCondition
):
    merged = dg.Definitions.merge(ours(tmp_path, LICENSES_AUTOMATION="off"), neighbour(days, condition))
    daemon = Daemon(merged, opened)
    today = DAY + timedelta(days=1)
    assert daemon.at(1, 0) == {}
    daemon.told(ASSIGNMENTS, today, closed=False)
    assert daemon.at(1, 30) == {}, "today is provisional"
    daemon.told(ASSIGNMENTS, DAY)
    assert daemon.at(2, 10) == {"seats_report": {str(DAY)}}
    opened.report_runless_asset_event(dg.AssetMaterialization("seats_report", partition=str(DAY)))
    assert daemon.at(2, 20) == {}
    daemon.told(ASSIGNMENTS, today, closed=False)
    daemon.told(ASSIGNMENTS, DAY - timedelta(days=20))
    assert daemon.at(3, 0) == {}, "nor for an old day that is filled"
    daemon.told(ASSIGNMENTS, today)
    assert daemon.at(2, 10, day=today) == {"seats_report": {str(today)}}


def test_who_stands_after_a_relation_is_asked_for_whenever_the_warehouse_was_built(
    tmp_path: Path, opened: dg.DagsterInstance
):
    @dg.asset(deps=[NAMES.key("warehouse", "seat_counts_daily")], automation_condition=dg.AutomationCondition.eager())
    def seats_of_ours() -> None: ...

    api = ScriptedApi(users=[user(1)])
    with environment_restored(), serving(as_app(api)) as url:
        os.environ["ANTHROPIC_ADMIN_KEY"] = KEY
        here = {"ANTHROPIC_BASE_URL": url, "LICENSES_NOW": (NIGHT + timedelta(hours=2)).isoformat()}
        merged = dg.Definitions.merge(ours(tmp_path, **here), dg.Definitions(assets=[seats_of_ours]))
        daemon = Daemon(merged, opened)
        daemon.at(1, 0)
        for minute in (10, 30):
            night = merged.resolve_job_def(NAMES.name("nightly"))
            assert night.execute_in_process(instance=opened, partition_key=str(DAY)).success
            assert daemon.at(2, minute) == {"seats_of_ours": {None}}, "and nothing of ours for its own relations"
            opened.report_runless_asset_event(dg.AssetMaterialization("seats_of_ours"))
            assert daemon.at(2, minute + 5) == {}
