"""The schedules, hour by hour, as Dagster's daemon evaluates them: nights heal by themselves, and gaps are filled."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster._core.test_utils import create_run_for_test

from assets.errors import PublishFailed
from assets.layout import DataDirectory
from pipelines import settings as settings_module
from pipelines.definitions import build
from pipelines.execution import run
from pipelines.installation.instance import instance
from pipelines.jobs import BACKFILL, NIGHTLY
from pipelines.running import ENDED, end_dead_runs
from sandbox import Clock, Options, Organization, create_app, serving
from tests.commandline import environment_restored, licenses
from tests.scripted import DAY, KEY

pytestmark = pytest.mark.slow

NIGHTLY_SCHEDULE, GAPS_SCHEDULE = "claude_licenses_nightly_at_two", "claude_licenses_fill_gaps"
NIGHTLY_JOB = "claude_licenses_nightly"
SCHEDULES = {NIGHTLY_SCHEDULE: NIGHTLY, GAPS_SCHEDULE: BACKFILL}


@dataclass
class Daemon:
    """What Dagster's daemon does at a tick, in this process: it evaluates both schedules, then runs what they ask for.

    Answers, by schedule, with the reason for doing nothing, or with what became of the run.
    """

    root: Path
    clock: Clock
    opened: dg.DagsterInstance
    environment: dict[str, str]

    def tick(self, now: datetime, scheduled: datetime | None = None, **changed: str) -> dict[str, Any]:
        requests, told = self.evaluate(now, scheduled, **changed)
        with self.definitions(now, **changed) as definitions:
            for name, request in requests.items():
                told[name] = run(
                    definitions,
                    self.opened,
                    settings_module.load(),
                    SCHEDULES[name],
                    partition_key=request.tags.get("dagster/partition"),
                    run_config=request.run_config,
                    tags={tag: value for tag, value in request.tags.items() if tag != "dagster/partition"},
                )
        return told

    def evaluate(
        self, now: datetime, scheduled: datetime | None = None, **changed: str
    ) -> tuple[dict[str, dg.RunRequest], dict[str, Any]]:
        """What the schedules ask for, and why they ask for nothing."""
        self.clock.set(now)
        requests: dict[str, dg.RunRequest] = {}
        told: dict[str, Any] = {}
        with self.definitions(now, **changed) as definitions:
            for name in SCHEDULES:
                context = dg.build_schedule_context(
                    instance=self.opened,
                    scheduled_execution_time=scheduled or now,
                    repository_def=definitions.get_repository_def(),
                )
                tick = definitions.resolve_schedule_def(name).evaluate_tick(context)
                if tick.run_requests:
                    (requests[name],) = tick.run_requests
                else:
                    told[name] = tick.skip_message
        return requests, told

    def definitions(self, now: datetime, **changed: str) -> AbstractContextManager[dg.Definitions]:
        return defined(self.environment | changed | {"LICENSES_NOW": now.isoformat()})

    def ask(self, query: str) -> list[tuple]:
        with duckdb.connect(str(self.root / "warehouse.duckdb"), read_only=True) as connection:
            return connection.sql(query).fetchall()


@contextmanager
def defined(environment: dict[str, str]) -> Iterator[dg.Definitions]:
    """The real definitions under these settings, which a run finds in its environment, too."""
    with environment_restored():
        os.environ.update(environment)
        yield build(settings_module.load())


@pytest.fixture
def company() -> Organization:
    return Organization("schedule", 25, 8)


@pytest.fixture
def daemon(company: Organization, tmp_path: Path, home: Path) -> Iterator[Daemon]:
    clock = Clock(at(DAY, 2))
    data = DataDirectory(tmp_path / "data")
    shutil.copytree(home, data.dagster_home)
    with (
        serving(create_app(company, clock=clock.now, options=Options())) as url,
        environment_restored(),
        instance(data) as opened,
    ):
        environment = {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_ADMIN_KEY": KEY,
            "LICENSES_DATA_DIR": str(data.root),
        }
        yield Daemon(data.root, clock, opened, environment)


@pytest.fixture
def refused() -> Iterator[str]:
    """An address where nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """An hour of the day after `day`, UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) + timedelta(days=1)


def test_a_night_heals_by_the_hour_and_a_day_that_was_missed_is_filled_from_the_feed(
    daemon: Daemon, company: Organization, refused: str
):
    first, missed, healed = (DAY + timedelta(days=ahead) for ahead in range(3))
    away: dict[str, Any] = {"ANTHROPIC_BASE_URL": refused}

    assert "begins at 02:00" in daemon.tick(at(first, 1))[NIGHTLY_SCHEDULE]
    assert daemon.tick(at(first, 2))[NIGHTLY_SCHEDULE].success
    assert daemon.tick(at(first, 3))[NIGHTLY_SCHEDULE].startswith(f"{first} is done: ")

    for hour in (2, 3, 23):
        told = daemon.tick(at(missed, hour, 59), **away)
        assert not told[NIGHTLY_SCHEDULE].success, "tried every hour until the day closes"
        assert told[GAPS_SCHEDULE] == "No day within reach is a gap."
    told = daemon.tick(at(healed, 0), **away)
    for schedule in SCHEDULES:
        assert f"{missed}: a gap until a later night can be rolled back" in told[schedule]

    assert not daemon.tick(at(healed, 2), **away)[NIGHTLY_SCHEDULE].success
    assert not daemon.tick(at(healed, 3), **away)[NIGHTLY_SCHEDULE].success
    assert daemon.tick(at(healed, 4))[NIGHTLY_SCHEDULE].success, "healed at the third try"
    told = daemon.tick(at(healed, 5))
    assert f"{healed} is done: " in told[NIGHTLY_SCHEDULE]
    assert f"{missed}: a gap, filled where landing or Activity Feed prove it." in told[NIGHTLY_SCHEDULE]
    assert told[GAPS_SCHEDULE].success, told[GAPS_SCHEDULE].failures
    assert daemon.tick(at(healed, 6))[GAPS_SCHEDULE] == "No day within reach is a gap."

    days = daemon.ask("select snapshot_date, provenance from snapshot_log order by all")
    assert days == [(first, "observed"), (missed, "reconstructed"), (healed, "observed")]
    members = daemon.ask(
        f"select holder_id from license_snapshots where snapshot_date = '{missed}' and holder_type = 'user' order by 1"
    )
    assert [row[0] for row in members] == sorted(member.id for member in company.truth(missed).members)


def test_after_an_outage_of_three_nights_the_next_ticks_fill_what_the_feed_proves(
    daemon: Daemon, company: Organization
):
    first, last = DAY, DAY + timedelta(days=4)
    missed = [DAY + timedelta(days=ahead) for ahead in (1, 2, 3)]
    assert daemon.tick(at(first, 2))[NIGHTLY_SCHEDULE].success
    told = daemon.tick(at(last, 2))
    assert told[NIGHTLY_SCHEDULE].success, "the night that can still be taken comes first"
    filled = daemon.tick(at(last, 3))
    assert f"{last} is done: " in filled[NIGHTLY_SCHEDULE]
    assert (
        f"{missed[0]} to {missed[-1]} (3 days): a gap, filled where landing or Activity Feed"
        in filled[NIGHTLY_SCHEDULE]
    )
    assert filled[GAPS_SCHEDULE].success, filled[GAPS_SCHEDULE].failures
    assert daemon.tick(at(last, 4))[GAPS_SCHEDULE] == "No day within reach is a gap."
    for day in missed:
        members = f"select holder_id from license_snapshots where snapshot_date = '{day}' and holder_type = 'user'"
        assert {row[0] for row in daemon.ask(members)} == {member.id for member in company.truth(day).members}
    key = dg.AssetKey(["claude_licenses", "license_assignments"])
    assert daemon.opened.get_materialized_partitions(key) == {str(day) for day in (first, *missed, last)}


def test_a_day_that_is_published_and_whose_warehouse_failed_is_run_again_by_the_next_tick(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise PublishFailed("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr("assets.warehouse.assets.publish", full)
        failed = daemon.tick(at(DAY, 2))[NIGHTLY_SCHEDULE]
        assert (failed.success, failed.failures) == (False, ["The disk is full."])
    key = dg.AssetKey(["claude_licenses", "license_assignments"])
    assert daemon.opened.get_materialized_partitions(key) == {str(DAY)}, "it is published"
    assert not (daemon.root / "warehouse.duckdb").exists()
    assert daemon.tick(at(DAY, 3))[NIGHTLY_SCHEDULE].success
    assert daemon.ask("select count(*) from snapshot_log") == [(1,)]
    assert f"{DAY} is done: " in daemon.tick(at(DAY, 4))[NIGHTLY_SCHEDULE]


def test_what_lies_between_two_gaps_stays_as_it_is(daemon: Daemon, company: Organization):
    first, imported, last = (DAY + timedelta(days=ahead) for ahead in (0, 2, 4))
    for day in (first, last):
        daemon.tick(at(day, 2))
    kept = daemon.root.parent / "members.csv"
    kept.write_text("Email,Role,Status\nada@sandbox.example,Admin,Active\n")
    words = ("import", str(kept), "--day", str(imported), "--yes")
    brought = licenses(
        *words, environment=daemon.environment | {"LICENSES_NOW": at(last, 2).isoformat()}, folder=daemon.root.parent
    )
    assert brought.status == 0, brought.err
    filled = daemon.tick(at(last, 3))[GAPS_SCHEDULE]
    assert filled.success, filled.failures
    provenance = [row[0] for row in daemon.ask("select provenance from snapshot_log order by snapshot_date")]
    assert provenance == ["observed", "reconstructed", "imported", "reconstructed", "observed"]


def test_a_gap_that_cannot_be_filled_is_tried_once_from_each_night_and_told_with_the_reason(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
):
    for day in (DAY, DAY + timedelta(days=2)):
        daemon.tick(at(day, 2))
    without_feed: dict[str, Any] = {"ANTHROPIC_ADMIN_KEY": "sk-ant-admin01-x"}
    daemon.clock.set(at(DAY + timedelta(days=2), 3))
    monkeypatch.setattr("assets.snapshots.past.fill.Feeds.prove", _proves_nothing)
    tried = daemon.tick(at(DAY + timedelta(days=2), 3), **without_feed)[GAPS_SCHEDULE]
    assert not tried.success
    told = daemon.tick(at(DAY + timedelta(days=2), 4), **without_feed)[GAPS_SCHEDULE]
    assert told.startswith("2026-06-02: stays a gap until there is something newer to fill it from: ")
    assert "the feed proves nothing" in told
    assert GAPS_SCHEDULE in daemon.evaluate(at(DAY + timedelta(days=3), 1))[1], "not tried without anything new"
    daemon.tick(at(DAY + timedelta(days=3), 2))
    requests, _ = daemon.evaluate(at(DAY + timedelta(days=3), 3))
    assert GAPS_SCHEDULE in requests, "a newer night may prove more"


def _proves_nothing(*_: object, **__: object) -> object:
    from assets.snapshots.past.plan import Proof

    return Proof(None, "the feed proves nothing")


def test_gaps_are_only_told_where_filling_is_off(daemon: Daemon):
    for day in (DAY, DAY + timedelta(days=2)):
        daemon.tick(at(day, 2))
    requests, told = daemon.evaluate(at(DAY + timedelta(days=2), 3), LICENSES_FILL_GAPS="off")
    assert requests == {}
    assert "2026-06-02: a gap" in told[GAPS_SCHEDULE]
    assert "licenses backfill --from 2026-06-02 --to 2026-06-02" in told[GAPS_SCHEDULE]


def test_while_a_run_for_the_day_is_at_work_no_second_one_is_asked_for(daemon: Daemon):
    create_run_for_test(
        daemon.opened, job_name=NIGHTLY_JOB, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": str(DAY)}
    )
    requests, told = daemon.evaluate(at(DAY, 2))
    assert requests == {}
    assert told[NIGHTLY_SCHEDULE] == f"A run for {DAY} is queued or at work already."


def test_a_run_whose_process_is_gone_is_ended_and_holds_nobody_up(daemon: Daemon):
    dead = create_run_for_test(
        daemon.opened, job_name=NIGHTLY_JOB, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": str(DAY)}
    )
    locks = daemon.root / "dagster" / "running"
    locks.mkdir()
    (locks / f"{dead.run_id}.lock").touch()
    requests, _ = daemon.evaluate(at(DAY, 2))
    assert NIGHTLY_SCHEDULE in requests
    assert daemon.opened.get_run_by_id(dead.run_id).status is dg.DagsterRunStatus.FAILURE
    assert any(ENDED in entry.message for entry in daemon.opened.all_logs(dead.run_id))
    assert list(locks.iterdir()) == []


def test_each_tick_asks_under_a_key_of_its_own_so_that_a_retry_really_runs(daemon: Daemon):
    keys = {daemon.evaluate(at(DAY, hour))[0][NIGHTLY_SCHEDULE].run_key for hour in (2, 3, 4)}
    assert len(keys) == 3


def test_ticks_made_up_for_after_an_outage_look_at_how_things_stand_now(daemon: Daemon):
    daemon.tick(at(DAY, 2))
    for late in (2, 3, 4):
        requests, _ = daemon.evaluate(at(DAY + timedelta(days=3), 9), scheduled=at(DAY + timedelta(days=1), late))
        asked = requests[NIGHTLY_SCHEDULE]
        assert asked.tags["dagster/partition"] == str(DAY + timedelta(days=3)), "no day that is over"
        assert GAPS_SCHEDULE not in requests


@pytest.fixture
def schedules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dg.ScheduleDefinition]]:
    def made(**environment: str) -> list[dg.ScheduleDefinition]:
        monkeypatch.setattr("pipelines.installation.places.CHECKOUT", tmp_path)
        with environment_restored():
            os.environ.update(environment)
            definitions = build(settings_module.load())
            return [definitions.resolve_schedule_def(name) for name in SCHEDULES]

    return made


def test_the_schedules_tick_every_hour_once_somebody_starts_them(
    schedules: Callable[..., list[dg.ScheduleDefinition]],
):
    for schedule in schedules():
        assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 * * * *", "UTC")
        assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    for schedule in schedules(LICENSES_SCHEDULES="on"):
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_when_they_tick_can_be_set(schedules: Callable[..., list[dg.ScheduleDefinition]]):
    assert {one.cron_schedule for one in schedules(LICENSES_SCHEDULE="*/5 * * * *")} == {"*/5 * * * *"}


def test_a_run_that_the_daemon_starts_is_seen_to_be_alive(daemon: Daemon, monkeypatch: pytest.MonkeyPatch):
    seen: list[list[str]] = []

    def look(*_: object, **__: object) -> None:
        seen.append(end_dead_runs(daemon.opened, DataDirectory(daemon.root)))
        seen.append([path.stem for path in (daemon.root / "dagster" / "running").iterdir()])

    monkeypatch.setattr("assets.extraction.assets.require_ready", look)
    with daemon.definitions(at(DAY, 2)) as definitions:
        job = definitions.resolve_job_def(NIGHTLY_JOB)
        ended = job.execute_in_process(instance=daemon.opened, partition_key=str(DAY), raise_on_error=False)
    assert ended.success
    assert seen == [[], [ended.run_id]], "it holds its lock, so nobody ends it"
    assert list((daemon.root / "dagster" / "running").iterdir()) == []
