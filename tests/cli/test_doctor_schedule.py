"""The doctor on the schedule: the daemon, how the last night ended, and runs that are dead."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._daemon.types import DaemonHeartbeat
from dagster_shared.error import SerializableErrorInfo
from filelock import FileLock

from assets.layout import DataDirectory
from sandbox import serving
from tests.cli.conftest import DAY, NOW, Check, Said
from tests.commandline import Operator
from tests.scripted import ScriptedApi, activity, as_app, error, user


def test_without_a_daemon_ever_the_check_says_how_to_start_one(check: Check, data: DataDirectory):
    said = check()
    assert "has never run here" in said.about("note", "daemon")
    assert "licenses ui" in said.about("note", "daemon")
    assert f"for {DAY}" in said.about("ok", "last nightly run")
    assert "success" in said.about("ok", "last nightly run")


def beat(instance: dg.DagsterInstance, ago: timedelta = timedelta()) -> None:
    at = datetime.now(UTC) - ago
    instance.add_daemon_heartbeat(DaemonHeartbeat(at.timestamp(), "SCHEDULER", "daemon", []))


def switch(instance: dg.DagsterInstance, status: InstigatorStatus, tick: TickStatus | None = None) -> None:
    """Put the schedule's state and last tick where the daemon and the UI put them."""
    location = GrpcServerCodeLocationOrigin("localhost", port=1, location_name="license-history")
    repository = RemoteRepositoryOrigin(location, "__repository__")
    origin = RemoteInstigatorOrigin(repository, "claude_licenses_nightly_at_two")
    state = InstigatorState(origin, InstigatorType.SCHEDULE, status, ScheduleInstigatorData("0 2 * * *"))
    instance.add_instigator_state(state)
    if tick:
        how = {"run_ids": ["run_1"]} if tick is TickStatus.SUCCESS else {"error": SerializableErrorInfo("no", [], None)}
        kind, selector = InstigatorType.SCHEDULE, state.selector_id
        at = NOW.timestamp()
        instance.create_tick(
            TickData(origin.get_id(), "claude_licenses_nightly_at_two", kind, tick, at, selector_id=selector, **how)
        )


@pytest.fixture
def instance(data: DataDirectory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(data.dagster_home)) as instance:
        yield instance


def test_a_daemon_that_beats_and_a_schedule_that_is_on_are_alive(check: Check, instance: dg.DagsterInstance):
    beat(instance)
    switch(instance, InstigatorStatus.DECLARED_IN_CODE, TickStatus.SUCCESS)
    said = check()
    assert "is running (last sign of life" in said.about("ok", "daemon")
    assert "claude_licenses_nightly_at_two is on" in said.about("ok", "schedule")
    assert f"Its last tick: {NOW:%Y-%m-%d %H:%M} UTC, success." in said.about("ok", "schedule")


def test_a_daemon_that_fell_silent_is_told(check: Check, instance: dg.DagsterInstance):
    beat(instance, ago=timedelta(hours=2))
    finding = check().about("note", "daemon")
    assert "is not running" in finding
    assert "Start it with: licenses ui" in finding


def test_a_schedule_that_is_switched_off_is_told(check: Check, instance: dg.DagsterInstance):
    beat(instance)
    switch(instance, InstigatorStatus.STOPPED)
    assert "is switched off: switch it on in Dagster's UI" in check().about("note", "schedule")


def test_a_tick_that_failed_is_told(check: Check, instance: dg.DagsterInstance):
    beat(instance)
    switch(instance, InstigatorStatus.RUNNING, TickStatus.FAILURE)
    assert "is on, but failed" in check().about("note", "schedule")


@pytest.mark.slow
def test_a_failed_night_is_told_with_its_sentence_until_a_night_succeeds(tmp_path: Path, home: Path):
    feed = [
        activity(number, at, "chat_created")
        for number, at in ((2, "2026-06-01T20:00:00Z"), (1, "2026-05-30T12:00:00Z"))
    ]
    api = ScriptedApi(users=[user(1)], activities=feed)
    with serving(as_app(api)) as url:
        operator = Operator(tmp_path, url, home=home)

        def checked(now: str) -> Said:
            return Said(operator("check", LICENSES_NOW=now))

        assert operator.night(date(2026, 6, 1)).status == 0
        api.says = {"users": lambda _: error(400, "not tonight")}
        assert operator.night(date(2026, 6, 2)).status == 1
        api.says = {}
        after = checked("2026-06-03T03:00:00Z")
        assert after.status == 3
        finding = after.about("stale", "last nightly run")
        assert "for 2026-06-02" in finding
        assert "GET /v1/organizations/users was refused: HTTP 400, invalid_request_error: not tonight" in finding

        filled = operator("backfill", "--from", "2026-05-31", "--to", "2026-05-31", LICENSES_NOW="2026-06-03T03:10:00Z")
        assert filled.status == 0, filled.err
        assert "not tonight" in checked("2026-06-03T03:20:00Z").text

        assert operator.at(datetime(2026, 6, 3, 4, tzinfo=UTC), date(2026, 6, 3)).status == 0  # provisional: no night
        assert "not tonight" in checked("2026-06-03T04:20:00Z").text

        assert operator.at(datetime(2026, 6, 3, 5, tzinfo=UTC), date(2026, 6, 2)).status == 0
        healed = checked("2026-06-03T06:30:00Z")
    assert healed.status == 0, healed.text
    assert "not tonight" not in healed.text


@pytest.fixture
def started(data: DataDirectory) -> str:
    """The id of a run that never ended."""
    with closing(sqlite3.connect(data.dagster_home / "history" / "runs.db")) as runs, runs:
        runs.execute("update runs set status = 'STARTED'")
        return str(runs.execute("select run_id from runs").fetchone()[0])


def lock_of(data: DataDirectory, run_id: str) -> Path:
    lock = data.dagster_home / "running" / f"{run_id}.lock"
    lock.parent.mkdir(exist_ok=True)
    lock.touch()
    return lock


def test_a_run_whose_process_is_gone_is_dead_and_named(check: Check, data: DataDirectory, started: str):
    lock_of(data, started)
    finding = check().about("note", "dead run")
    assert f"{started} (claude_licenses_nightly for {DAY})" in finding
    assert "its process is gone" in finding


def test_a_run_that_is_at_work_is_not_called_dead(check: Check, data: DataDirectory, started: str):
    with FileLock(lock_of(data, started)):
        said = check()
    assert started in said.about("note", "run under way")
    assert "dead run" not in said.subjects("note")


def test_a_run_that_never_held_a_lock_may_be_either(check: Check, data: DataDirectory, started: str):
    finding = check().about("note", "run under way")
    assert started in finding
    assert "or was killed" in finding


def test_what_a_living_daemon_has_not_yet_moved_into_its_database_is_read_too(
    check: Check, data: DataDirectory, instance: dg.DagsterInstance
):
    runs = data.dagster_home / "history" / "runs.db"
    with closing(sqlite3.connect(runs)) as reader:  # while somebody reads, what is new stays in the log beside it
        reader.execute("begin")
        reader.execute("select count(*) from runs").fetchone()
        beat(instance)
        assert runs.with_name("runs.db-wal").stat().st_size > 0
        assert "is running" in check().about("ok", "daemon")


@pytest.mark.parametrize("name", ["history/runs.db", "history/runs/index.db", "schedules/schedules.db"])
@pytest.mark.parametrize("damage", [lambda whole: b"no database" * 1000, lambda whole: whole[: len(whole) // 2]])
def test_what_dagster_could_not_open_is_a_problem(
    check: Check, data: DataDirectory, name: str, damage: Callable[[bytes], bytes]
):
    database = data.dagster_home / name
    database.write_bytes(damage(database.read_bytes()))
    said = check()
    assert said.status == 1
    assert "is cut or overwritten" in said.about("problem", "Dagster")
    assert "aside. Only the log of runs is lost with it" in said.about("problem", "Dagster")


RUNS, SCHEDULES = "history/runs.db", "schedules/schedules.db"
DAMAGES = [lambda _: b"no database" * 1000, lambda whole: whole[:4096] + b"\xff" * (len(whole) - 4096)]


@pytest.mark.slow
@pytest.mark.parametrize(("status", "mark"), [("SUCCESS", "ok"), ("FAILURE", "stale")])
@pytest.mark.parametrize("damage", DAMAGES, ids=["overwritten", "overwritten behind its header"])
def test_the_damaged_log_of_one_run_hides_nothing_but_why_it_failed(
    check: Check,
    data: DataDirectory,
    instance: dg.DagsterInstance,
    status: str,
    mark: str,
    damage: Callable[[bytes], bytes],
):
    beat(instance)
    switch(instance, InstigatorStatus.RUNNING, TickStatus.SUCCESS)
    change(data, RUNS, f"update runs set status = '{status}'")
    (log,) = (place for place in (data.dagster_home / "history" / "runs").glob("*.db") if place.name != "index.db")
    whole = log.read_bytes()
    before = check()
    log.write_bytes(damage(whole))
    after = check()
    assert after.status == before.status
    for subject, marked in {"daemon": "ok", "schedule": "ok", "last nightly run": mark}.items():
        assert after.about(marked, subject) == before.about(marked, subject)


def change(data: DataDirectory, database: str, statement: str) -> None:
    with closing(sqlite3.connect(data.dagster_home / database)) as opened, opened:
        opened.execute(statement)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "statement", "lost"),
    [
        (RUNS, "update daemon_heartbeats set body = '{}'", {"daemon"}),
        (RUNS, "drop table daemon_heartbeats", {"daemon"}),
        (SCHEDULES, "update instigators set instigator_body = '{}'", {"schedule"}),
        (SCHEDULES, "update job_ticks set tick_body = '{}'", {"schedule"}),
        (SCHEDULES, "drop table job_ticks", {"schedule"}),
        (RUNS, "update runs set status = 'WEIRD'", {"last nightly run"}),
        (RUNS, "update runs set run_body = '{}'", {"last nightly run"}),
        (RUNS, "update runs set run_body = '{}', status = 'STARTED'", {"last nightly run", "runs under way"}),
    ],
)
def test_what_this_dagster_cannot_read_costs_only_what_it_tells(
    check: Check, data: DataDirectory, instance: dg.DagsterInstance, database: str, statement: str, lost: set[str]
):
    beat(instance)
    switch(instance, InstigatorStatus.RUNNING, TickStatus.SUCCESS)
    change(data, database, statement)
    said = check()
    assert said.status == 0
    for subject in lost:
        assert "cannot be read by this version of Dagster (" in said.about("note", subject)
    assert {"daemon", "schedule", "last nightly run"} - lost <= set(said.subjects("ok"))


def test_a_dagster_yaml_that_cannot_be_meant_is_a_problem(check: Check, data: DataDirectory):
    (data.dagster_home / "dagster.yaml").write_text("telemetri: off\n")
    said = check()
    assert said.status == 1
    assert "dagster.yaml cannot be used" in said.about("problem", "Dagster")


def test_a_storage_that_was_moved_elsewhere_is_a_note(check: Check, data: DataDirectory):
    (data.dagster_home / "history" / "runs.db").unlink()
    said = check()
    assert said.status == 0
    assert "if its storage was moved, look there" in said.about("note", "daemon")
