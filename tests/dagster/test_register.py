"""What lies in the data directory is told to an instance that does not know it, and nothing else is."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import pyarrow.parquet as pq
import pytest

from assets.layout import FACTS_KEY, DataDirectory, snapshot_file
from assets.orchestration.names import Names
from assets.snapshots.snapshot import read_facts
from pipelines import settings as settings_module
from pipelines.definitions import build
from pipelines.running import at_work
from sandbox import serving
from tests.commandline import Finished, Operator, environment_restored
from tests.scripted import DAY, ScriptedApi, api_key, as_app, user

pytestmark = pytest.mark.slow

NAMES = Names()
OBSERVATION, ASSIGNMENTS, WAREHOUSE = (NAMES.key(one) for one in ("observation", "license_assignments", "warehouse"))
SECOND = DAY + timedelta(days=1)
TODAY = DAY + timedelta(days=2)
AFTER = datetime(2026, 6, 3, 9, tzinfo=UTC)
"""When both nights have been taken, and today's provisional snapshot, too."""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    """Two nights of two members and a key, and today as provisional."""
    api = ScriptedApi(users=[user(1), user(2)], api_keys=[api_key(1)])
    with serving(as_app(api)) as url:
        operator = Operator(tmp_path_factory.mktemp("record"), url, home=home)
        taken = [operator.night(DAY), operator.night(SECOND), operator.at(AFTER, TODAY)]
        assert [one.status for one in taken] == [0, 0, 0], taken[0].err
    return operator.data


class Newcomer:
    """Somebody with that record and an instance that knows nothing of it."""

    def __init__(self, folder: Path, opened: dg.DagsterInstance, home: Path) -> None:
        self.operator = Operator(folder, "http://127.0.0.1:1", DAGSTER_HOME=str(home))
        self.data, self.opened = DataDirectory(self.operator.data), opened

    def register(self, now: datetime = AFTER, **environment: str) -> Finished:
        return self.operator("register", LICENSES_NOW=now.isoformat(), **environment)

    @property
    def grid(self) -> dict[str, set[str]]:
        keys = {"observation": OBSERVATION, "license_assignments": ASSIGNMENTS}
        return {name: self.opened.get_materialized_partitions(key) for name, key in keys.items()}

    def tick(self, now: datetime, cursor: str | None = None) -> Any:
        """What the daemon does at a tick of the sensor: it evaluates it, and writes down what that tells."""
        with self.definitions(now) as definitions:
            sensor = definitions.resolve_sensor_def(NAMES.name("published_days"))
            context = dg.build_sensor_context(instance=self.opened, cursor=cursor, definitions=definitions)
            found = sensor.evaluate_tick(context)
        for event in found.asset_events:
            self.opened.report_runless_asset_event(event)
        return found

    @contextmanager
    def definitions(self, now: datetime) -> Iterator[dg.Definitions]:
        with environment_restored():
            os.environ.update(self.operator.environment | {"LICENSES_NOW": now.isoformat()})
            yield build(settings_module.load())


@pytest.fixture
def newcomer(record: Path, tmp_path: Path, home: Path) -> Iterator[Newcomer]:
    shutil.copytree(record, tmp_path / "data")
    other = Path(shutil.copytree(home, tmp_path / "instance"))
    with dg.DagsterInstance.from_config(str(other)) as opened:
        yield Newcomer(tmp_path, opened, other)


def test_an_existing_record_under_a_new_instance_is_told_with_its_true_counts_and_once(newcomer: Newcomer):
    told = newcomer.register()
    assert (told.status, told.err) == (0, "")
    assert told.out.splitlines() == [
        f"Told Dagster of claude_licenses/{one}."
        for one in (
            f"license_assignments: {DAY} to {SECOND} (2 days)",
            f"observation: {DAY} to {SECOND} (2 days)",
            "warehouse",
        )
    ]
    both = {str(DAY), str(SECOND)}
    assert newcomer.grid == {"observation": both, "license_assignments": both}, "today is provisional"
    last = newcomer.opened.get_latest_materialization_event(ASSIGNMENTS)
    assert last
    assert last.asset_materialization
    shown = {name: value.value for name, value in last.asset_materialization.metadata.items()}
    assert (shown["dagster/partition_row_count"], shown["members"], shown["api_keys"]) == (3, 2, 1)
    assert newcomer.opened.get_latest_materialization_event(WAREHOUSE)
    assert newcomer.opened.get_latest_materialization_event(NAMES.key("warehouse", "license_history"))

    again = newcomer.register()
    assert again.out == f"Dagster knows all that lies whole in {newcomer.data.root}: nothing was told.\n"
    assert len(newcomer.opened.fetch_materializations(ASSIGNMENTS, limit=10).records) == 2


def test_a_day_of_which_an_organization_is_missing_is_not_told(newcomer: Newcomer):
    for day in (DAY - timedelta(days=1), SECOND):  # the other organization has no snapshot of the day in between
        _as_another_organization(newcomer.data, SECOND, day)
    told = newcomer.register()
    assert told.status == 0, told.err
    assert newcomer.grid["license_assignments"] == {str(DAY - timedelta(days=1)), str(SECOND)}


def _as_another_organization(data: DataDirectory, of: date, day: date) -> None:
    source, place = snapshot_file(data, of, "org_1"), snapshot_file(data, day, "org_2")
    facts = read_facts(source)
    assert facts
    facts = msgspec.structs.replace(facts, organization_id="org_2", snapshot_date=day)
    place.parent.mkdir(parents=True)
    table = pq.read_table(source, partitioning=None)
    pq.write_table(table.replace_schema_metadata({FACTS_KEY: msgspec.json.encode(facts)}), place)


def test_a_day_that_can_still_be_observed_is_left_to_its_night_while_a_key_has_not_seen_it(
    newcomer: Newcomer, tmp_path: Path
):
    organizations = tmp_path / "organizations.toml"
    organizations.write_text(
        '[[organization]]\nname = "Acme"\nkey_env = "ANTHROPIC_ADMIN_KEY"\n'
        '[[organization]]\nname = "Bert"\nkey_env = "KEY_OF_BERT"\n'
    )
    told = newcomer.register(LICENSES_ORGANIZATIONS=str(organizations))
    assert newcomer.grid["license_assignments"] == {str(DAY)}
    assert f"{SECOND}: left to its night, which can still observe it" in told.out
    again = newcomer.register(LICENSES_ORGANIZATIONS=str(organizations))
    assert again.out.splitlines() == [told.out.splitlines()[-1]], "nothing is called known that is not"


def test_while_a_run_is_at_work_nothing_is_told_for_it_tells_its_own_days(newcomer: Newcomer):
    with at_work(newcomer.data, "a-run"):
        told = newcomer.register()
        tick = newcomer.tick(AFTER)
    assert (told.status, told.out) == (1, "")
    assert "A run is at work on this data directory" in told.err
    assert newcomer.grid == {"observation": set(), "license_assignments": set()}
    assert "A run is at work" in (tick.skip_message or "")


def test_where_there_is_no_snapshot_that_is_said(tmp_path: Path, home: Path):
    operator = Operator(tmp_path, "http://127.0.0.1:1", home=home)
    told = operator("register")
    assert (told.status, told.out) == (0, f"There is no snapshot in {operator.data} to tell Dagster of.\n")


def test_the_sensor_tells_what_lies_there_and_then_has_nothing_more_to_say(newcomer: Newcomer):
    first = newcomer.tick(AFTER)
    assert "license_assignments: 2026-06-01 to 2026-06-02 (2 days)" in (first.skip_message or "")
    assert len(newcomer.grid["license_assignments"]) == len(newcomer.grid["observation"]) == 2
    assert _verdicts(newcomer) == {
        (ASSIGNMENTS, "every_organization_is_fresh"): True,
        (WAREHOUSE, "every_organization_is_fresh"): True,
        (ASSIGNMENTS, "every_green_day_lies_there"): True,
    }
    second = newcomer.tick(AFTER + timedelta(minutes=5), first.cursor)
    assert list(second.asset_events) == []
    assert second.skip_message == "Dagster knows all that lies there."


def _verdicts(newcomer: Newcomer) -> dict[tuple[dg.AssetKey, str], bool]:
    checks = [
        dg.AssetCheckKey(ASSIGNMENTS, "every_organization_is_fresh"),
        dg.AssetCheckKey(WAREHOUSE, "every_organization_is_fresh"),
        dg.AssetCheckKey(ASSIGNMENTS, "every_green_day_lies_there"),
    ]
    found = newcomer.opened.event_log_storage.get_latest_asset_check_execution_by_key(checks)
    return {(key.asset_key, key.name): bool(one.evaluation and one.evaluation.passed) for key, one in found.items()}


def test_that_the_record_is_stale_is_told_though_no_run_ever_starts_and_old_days_do_not_make_it_fresh(
    newcomer: Newcomer,
):
    cursor = newcomer.tick(AFTER).cursor
    early = newcomer.tick(AFTER + timedelta(hours=20), cursor)
    assert list(early.asset_events) == [], "at 05:00 the night still has its time"
    late = newcomer.tick(AFTER + timedelta(hours=22), early.cursor)
    stale = {(ASSIGNMENTS, "every_organization_is_fresh"): False, (WAREHOUSE, "every_organization_is_fresh"): False}
    assert {(one.asset_key, one.check_name): one.passed for one in late.asset_events} == stale
    filled = newcomer.operator(
        *("backfill", "--from", str(DAY), "--to", str(DAY), "--source", "replay", "--replace"),
        LICENSES_NOW=(AFTER + timedelta(hours=22)).isoformat(),
    )
    assert filled.status == 0, filled.err
    again = newcomer.tick(AFTER + timedelta(hours=23), late.cursor)
    assert list(again.asset_events) == []
    assert _verdicts(newcomer) | stale == _verdicts(newcomer)


def test_a_green_day_that_somebody_removed_is_named_by_the_sensor_and_by_the_check_which_only_looks(
    newcomer: Newcomer,
):
    cursor = newcomer.tick(AFTER).cursor
    snapshot_file(newcomer.data, DAY, "org_1").unlink()
    told = newcomer.tick(AFTER, cursor)
    assert f"Green, though not there: {DAY}." in (told.skip_message or "")
    assert _verdicts(newcomer)[ASSIGNMENTS, "every_green_day_lies_there"] is False
    assert _verdicts(newcomer)[WAREHOUSE, "every_organization_is_fresh"] is False, "it does not show what is there"

    before = _traces(newcomer.data)
    (result,) = _check_alone(newcomer, "every_green_day_lies_there")
    assert not result.passed
    assert {name: value.value for name, value in result.metadata.items()} == {
        "lost": str(DAY),
        "fill": [f"licenses backfill --from {DAY} --to {DAY}"],
    }
    assert _traces(newcomer.data) == before


def _check_alone(newcomer: Newcomer, name: str) -> list[dg.AssetCheckEvaluation]:
    """ "Execute" on one check in the UI."""
    check = dg.AssetCheckKey(ASSIGNMENTS, name)
    with newcomer.definitions(AFTER) as definitions:
        job = definitions.resolve_implicit_global_asset_job_def()
        alone = job.get_subset(asset_selection=frozenset(), asset_check_selection=frozenset({check}))
        return [*alone.execute_in_process(instance=newcomer.opened).get_asset_check_evaluations()]


def _traces(data: DataDirectory) -> dict[str, int]:
    """Every file of the record and when it was changed."""
    places = (path for path in data.root.rglob("*") if path.is_file() and data.dagster_home not in path.parents)
    return {str(path): path.stat().st_mtime_ns for path in places}


@pytest.mark.parametrize(("switch", "expected"), [("off", "STOPPED"), ("on", "RUNNING")])
def test_the_sensor_is_stopped_until_somebody_starts_it(newcomer: Newcomer, switch: str, expected: str):
    newcomer.operator.environment["LICENSES_SCHEDULES"] = switch
    with newcomer.definitions(AFTER) as definitions:
        sensor = definitions.resolve_sensor_def(NAMES.name("published_days"))
    assert sensor.default_status.value == expected
