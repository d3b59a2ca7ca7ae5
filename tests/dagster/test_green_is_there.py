"""What Dagster calls green is there: however a run is launched and however it ends, its grid and the files agree."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import httpx
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from assets.layout import snapshot_file
from assets.snapshots.past import fill as filling
from assets.spans import days_between
from sandbox import serving
from tests.dagster.agreement import ROWS, expect_agreement
from tests.dagster.grids import (
    ALL,
    ASSIGNMENTS,
    FEED_FROM,
    OBSERVATION,
    Deployment,
    company,
    deployed,
)
from tests.scripted import DAY, FEED, ScriptedApi, as_app, error, user

# Dagster uses what it has deprecated itself.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Function `AssetSelection.sources`:DeprecationWarning"),
]

PROJECT = Path(__file__).parents[2]
BEFORE = [FEED_FROM - timedelta(days=1)]
"""A day that nobody can tell of any more."""
PAST = days_between(FEED_FROM, DAY - timedelta(days=1))
"""Days that the feed can tell of."""


@pytest.fixture
def api() -> ScriptedApi:
    return company()


@pytest.fixture
def here(api: ScriptedApi, tmp_path: Path, home: Path) -> Iterator[Deployment]:
    with serving(as_app(api)) as url, deployed(tmp_path / "data", home, url) as made:
        yield made


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    """A data directory in which the night after `DAY` was taken, and nothing before it."""
    root = tmp_path_factory.mktemp("taken") / "data"
    with serving(as_app(company())) as url, deployed(root, home, url) as made:
        assert made.launch((OBSERVATION, ASSIGNMENTS), DAY).is_success
    return root


@pytest.fixture
def observed(taken: Path, api: ScriptedApi, tmp_path: Path, home: Path) -> Iterator[Deployment]:
    """A copy of it, which a test may do with as it likes."""
    shutil.copytree(taken, tmp_path / "data")
    with serving(as_app(api)) as url, deployed(tmp_path / "data", home, url) as made:
        yield made


# Ways of launching.


def by_a_single_run(here: Deployment, days: list[date]) -> None:
    here.launch((ASSIGNMENTS,), days[0], days[-1])


def by_a_run_for_each_day(here: Deployment, days: list[date]) -> None:
    for day in days:
        here.launch((ASSIGNMENTS,), day)


def by_dagsters_backfill(here: Deployment, days: list[date]) -> None:
    here.backfill((ASSIGNMENTS,), days)


def by_our_command(here: Deployment, days: list[date]) -> None:
    here.licenses("backfill", "--from", str(days[0]), "--to", str(days[-1]))


WAYS = [by_a_single_run, by_a_run_for_each_day, by_dagsters_backfill, by_our_command]
Way = Callable[[Deployment, list[date]], None]


@pytest.mark.parametrize("way", WAYS)
def test_a_range_with_days_that_nobody_can_tell_of(observed: Deployment, way: Way):
    way(observed, [*BEFORE, *PAST])
    assert expect_agreement(observed) == [*PAST, DAY]
    assert not {colour for day, colour in observed.grid().items() if day in BEFORE} - {"FAILED"}


@pytest.mark.parametrize("way", [by_a_single_run, by_dagsters_backfill])
def test_days_that_stay_as_they_are_stay_green_with_their_true_counts(observed: Deployment, way: Way):
    way(observed, PAST)
    before = {path: path.stat().st_mtime_ns for path in observed.data.snapshots.rglob("*.parquet")}
    way(observed, [*BEFORE, *PAST, DAY])  # where some fail, Dagster takes each that the run does not tell for failed
    assert expect_agreement(observed) == [*PAST, DAY]
    assert {path: path.stat().st_mtime_ns for path in observed.data.snapshots.rglob("*.parquet")} == before


def test_materialize_all_by_separate_runs_and_the_warehouse_shows_it(here: Deployment):
    done = here.backfill(ALL, [DAY])
    assert done.status.value == "COMPLETED_SUCCESS"
    assert len(here.opened.get_runs()) > 1, "Dagster launches what is not partitioned by itself"
    assert expect_agreement(here) == [DAY]
    assert here.shown() == {DAY: 3}


def test_each_asset_by_a_run_of_its_own(here: Deployment):
    assert here.launch((OBSERVATION,), DAY).is_success
    assert here.green(OBSERVATION) == [DAY]
    assert expect_agreement(here) == [], "observed, and not published yet"
    assert here.launch((ASSIGNMENTS,), DAY).is_success
    assert expect_agreement(here) == [DAY]
    assert list((here.root / "staging").glob("*")) == [], "nothing is left to a later run"


def test_the_two_assets_without_the_warehouse_and_the_next_night_builds_it(observed: Deployment):
    assert expect_agreement(observed) == [DAY]
    assert not observed.data.warehouse.exists()
    next_day = DAY + timedelta(days=1)
    observed.night(next_day)
    assert observed.launch(ALL, next_day).is_success
    assert expect_agreement(observed) == [DAY, next_day]
    assert observed.shown() == {DAY: 3, next_day: 3}


def test_a_night_whose_warehouse_step_fails_and_is_executed_again(here: Deployment):
    prices = here.root / "reference" / "prices.csv"
    prices.parent.mkdir(parents=True)
    prices.write_text("no such thing\n")
    failed = here.launch(ALL, DAY)
    assert failed.status is dg.DagsterRunStatus.FAILURE
    assert "prices.csv" in here.sentences(failed)
    assert expect_agreement(here) == [DAY]
    assert not here.data.warehouse.exists()
    prices.unlink()
    assert here.again_from_failure(failed).is_success
    assert expect_agreement(here) == [DAY]
    assert here.shown() == {DAY: 3}


def test_re_execution_goes_on_with_what_the_first_run_has_observed(here: Deployment, api: ScriptedApi):
    types = here.root / "reference" / "license_types.csv"
    types.parent.mkdir(parents=True)
    types.write_text("no such thing\n")
    failed = here.launch((OBSERVATION, ASSIGNMENTS), DAY)
    assert "license_types.csv" in here.sentences(failed)
    assert expect_agreement(here) == []
    types.unlink()
    api.says = {name: lambda _: error(500) for name in ("users", "me", "api_keys")}
    assert here.again_from_failure(failed).is_success, "nobody is asked again"
    assert expect_agreement(here) == [DAY]


def test_a_day_that_the_drop_guard_refuses_among_others(here: Deployment, api: ScriptedApi):
    everybody = api.lists["users"] = [user(number) for number in range(1, 31)]
    here.launch((OBSERVATION, ASSIGNMENTS), DAY)
    api.lists["users"] = everybody[:3]
    next_day = DAY + timedelta(days=1)
    here.night(next_day)
    refused = here.launch((OBSERVATION, ASSIGNMENTS), next_day)
    assert "27" in here.sentences(refused)
    assert here.grid()[next_day] == "FAILED"
    assert expect_agreement(here) == [DAY]
    here.backfill((ASSIGNMENTS,), [*PAST, DAY, next_day])
    assert expect_agreement(here) == [*PAST, DAY]
    here.launch((ASSIGNMENTS,), PAST[0], next_day, step=ASSIGNMENTS, accept_drop=True)
    assert expect_agreement(here) == [*PAST, DAY, next_day]
    assert here.told()[next_day][ROWS] == 3


def test_today_is_provisional_and_not_green_until_it_has_closed(here: Deployment):
    here.at(datetime(DAY.year, DAY.month, DAY.day, 15, tzinfo=UTC))
    assert here.launch((OBSERVATION, ASSIGNMENTS), DAY).is_success
    assert snapshot_file(here.data, DAY, "org_1").exists()
    assert expect_agreement(here) == []
    for asset in (OBSERVATION, ASSIGNMENTS):
        assert here.provisional(asset)[DAY]["provisional"] is True
        assert here.provisional(asset)[DAY][ROWS] > 0
    here.night(DAY)
    assert here.launch((OBSERVATION, ASSIGNMENTS), DAY).is_success
    assert expect_agreement(here) == [DAY]


def test_days_that_nobody_observed_are_in_sync_and_telling_them_again_changes_nothing(observed: Deployment):
    by_a_single_run(observed, PAST)
    assert observed.in_sync([*PAST, DAY]) == ["FRESH"] * len([*PAST, DAY])
    first = observed.versions()
    by_a_single_run(observed, [*PAST, DAY])
    assert observed.in_sync([*PAST, DAY]) == ["FRESH"] * len([*PAST, DAY])
    assert observed.versions() == first, "whose assets are made from these days need not run"


# Runs that end before their time.


class Cut:
    """Something that happens to a run as soon as it has put its third day in place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
        self.done = 0
        published = filling.published

        def cut(*given: object) -> object:
            if self.done == 3:
                happens()
            self.done += 1
            return published(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(filling, "published", cut)


def test_cancelled_in_the_middle_what_it_has_done_is_green_and_no_more(
    observed: Deployment, monkeypatch: pytest.MonkeyPatch
):
    def terminate() -> None:
        """As the UI's Terminate does it: it notes it, and interrupts the run's process."""
        (run,) = observed.opened.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        observed.opened.report_run_canceling(run)
        raise DagsterExecutionInterruptedError

    with monkeypatch.context() as patch:
        Cut(patch, terminate)
        run = observed.launch((ASSIGNMENTS,), PAST[0], PAST[-1])
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert expect_agreement(observed) == [*PAST[-3:], DAY]
    assert observed.launch((ASSIGNMENTS,), PAST[0], PAST[-1]).is_success
    assert expect_agreement(observed) == [*PAST, DAY]


BY_SIGNAL = """
import os, sys
number = int(sys.argv.pop())
from assets.snapshots.past import fill as backfill
published, done = backfill.published, []
def cut(*given):
    made = published(*given)
    done.append(made)
    if len(done) == 3:
        os.kill(os.getpid(), number)
    return made
backfill.published = cut
from pipelines.cli import main
main()
"""


def started(here: Deployment, *words: str, code: str = "from pipelines.cli import main; main()") -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env=os.environ | here.environment | {"PYTHONPATH": str(PROJECT)},
        cwd=here.root.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def range_of(days: list[date]) -> list[str]:
    return ["backfill", "--from", str(days[0]), "--to", str(days[-1])]


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_that_is_ended_from_outside(observed: Deployment, way: signal.Signals):
    """What it had put in place and not told yet is grey until somebody comes by; never the other way round."""
    process = started(observed, *range_of(PAST), str(way.value), code=BY_SIGNAL)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == (-9 if way is signal.SIGKILL else 143), out
    assert sorted(observed.files()) == [*PAST[-3:], DAY]
    assert set(observed.believed()) <= set(observed.files())
    assert set(observed.believed()) >= {*PAST[-2:], DAY}
    observed.backfill((ASSIGNMENTS,), PAST)
    assert expect_agreement(observed) == [*PAST, DAY]


def test_two_at_once_on_the_same_days(observed: Deployment, api: ScriptedApi):
    both, asked = threading.Barrier(2, timeout=100), itertools.count()

    def wait_for_the_other(request: httpx.Request) -> httpx.Response:
        if next(asked) < 2:
            both.wait()
        return api.answer(request)

    api.says[FEED] = wait_for_the_other
    processes = [started(observed, *range_of(PAST)) for _ in range(2)]
    told = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    assert expect_agreement(observed) == [*PAST, DAY]
    assert sorted(observed.shown()) == [*PAST, DAY]


# Data that somebody else has brought or taken away.


def by_the_schedules_ticks(here: Deployment, days: list[date]) -> None:
    for schedule in ("nightly_at_two", "fill_gaps"):
        here.tick(schedule)


@pytest.mark.parametrize(
    ("way", "removed"), [(by_dagsters_backfill, [PAST[1]]), (by_the_schedules_ticks, [PAST[1], DAY])]
)
def test_files_that_somebody_removes_come_back(observed: Deployment, way: Way, removed: list[date]):
    """Until then their days stay green: Dagster's storage takes no single day back."""
    by_a_single_run(observed, PAST)
    for day in removed:
        shutil.rmtree(snapshot_file(observed.data, day, "org_1").parent)
    way(observed, removed)
    assert expect_agreement(observed) == [*PAST, DAY]


def test_a_file_that_nothing_brings_back_is_red_as_soon_as_its_day_is_asked_for(observed: Deployment, api: ScriptedApi):
    by_a_single_run(observed, PAST)
    shutil.rmtree(snapshot_file(observed.data, PAST[1], "org_1").parent)
    api.lists["activities"] = []
    by_a_single_run(observed, PAST)
    assert observed.green() == sorted(observed.files()) == [PAST[0], *PAST[2:], DAY]


def test_a_data_directory_under_a_new_instance(observed: Deployment, home: Path, tmp_path: Path):
    observed.launch((ASSIGNMENTS,), PAST[0], PAST[-1])
    moved = tmp_path / "moved" / "data"
    shutil.copytree(observed.root, moved, ignore=lambda folder, names: {"dagster"} & set(names))
    with deployed(moved, home, observed.environment["ANTHROPIC_BASE_URL"]) as new:
        assert new.grid() == {}
        assert new.backfill((ASSIGNMENTS,), [*PAST, DAY]).status.value == "COMPLETED_SUCCESS"
        assert new.green() == new.believed() == sorted(new.files()) == [*PAST, DAY]
        assert {day: told[ROWS] for day, told in new.told().items()} == dict.fromkeys([*PAST, DAY], 3)
