"""The checks of `license_assignments` in Dagster, each seen to fail: in its night, and on filled days."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from assets.snapshots.ending import make_assignments
from sandbox import serving
from tests.dagster.grids import ASSIGNMENTS, OBSERVATION, Deployment, company, deployed
from tests.scripted import DAY, ScriptedApi, as_app, user

# Dagster uses what it has deprecated itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Function `AssetSelection.sources`:DeprecationWarning"),
]
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def api() -> ScriptedApi:
    return company(30)


@pytest.fixture
def here(api: ScriptedApi, tmp_path: Path, home: Path) -> Iterator[Deployment]:
    with serving(as_app(api)) as url, deployed(tmp_path / "data", home, url) as made:
        yield made


@pytest.fixture
def doubling(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A fault of ours: whatever is derived has one of its holders twice. It ends with the patch."""

    def twice(connection: duckdb.DuckDBPyConnection, *relation: str) -> None:
        make_assignments(connection, *relation)
        connection.execute("insert into assignments from assignments limit 1")

    with monkeypatch.context() as patch:
        patch.setattr("assets.snapshots.observed.derive.make_assignments", twice)
        yield patch


def verdict(here: Deployment, run: dg.DagsterRun, check: str) -> tuple[bool, str, dict[str, Any]]:
    """Whether the check passed, how severe it is, and what it says."""
    records = here.opened.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    found = [one.event_log_entry.dagster_event.event_specific_data for one in records]
    (told,) = [one for one in found if one.check_name == check]
    return told.passed, told.severity.value, {name: value.value for name, value in told.metadata.items()}


@pytest.mark.slow
def test_a_holder_who_stands_twice_in_the_night_fails_the_check_and_nothing_is_published(
    here: Deployment, doubling: pytest.MonkeyPatch
):
    run = here.launch((OBSERVATION, ASSIGNMENTS), DAY)
    passed, severity, told = verdict(here, run, "one_row_per_holder")
    assert (passed, severity) == (False, "ERROR")
    (sentence,) = told["refused"]
    assert sentence.startswith(f"Acme (org_1): the snapshot of {DAY} holds a holder twice, which is a fault of this")
    assert not here.data.snapshots.exists()
    doubling.undo()
    assert verdict(here, here.launch((OBSERVATION, ASSIGNMENTS), DAY), "one_row_per_holder")[0]


@pytest.mark.slow
def test_a_holder_who_stands_twice_on_a_day_that_is_derived_again_fails_the_check_too(
    here: Deployment, doubling: pytest.MonkeyPatch
):
    here.launch((OBSERVATION, ASSIGNMENTS), DAY)
    run = here.launch((ASSIGNMENTS,), DAY)
    passed, _, told = verdict(here, run, "one_row_per_holder")
    assert not passed
    assert f"the snapshot of {DAY} holds a holder twice" in told["refused"][0]
    assert not here.data.snapshots.exists()


@pytest.mark.slow
def test_a_drop_that_is_refused_fails_the_drop_guards_check_alone(here: Deployment, api: ScriptedApi):
    here.launch((OBSERVATION, ASSIGNMENTS), DAY)
    api.lists["users"] = api.lists["users"][:3]
    here.night(NEXT)
    run = here.launch((OBSERVATION, ASSIGNMENTS), NEXT)
    passed, severity, told = verdict(here, run, "drop_guard")
    assert (passed, severity) == (False, "ERROR")
    assert "27 gone at once" in told["refused"][0]


@pytest.mark.slow
def test_a_feed_that_does_not_lead_back_to_last_night_is_a_warning_that_names_who(here: Deployment, api: ScriptedApi):
    here.launch((OBSERVATION, ASSIGNMENTS), DAY)
    api.lists["users"].append(user(99, added_at=f"{NEXT}T08:00:00Z"))
    api.lists["users"].pop(0)  # and the feed tells of neither
    here.night(NEXT)
    run = here.launch((OBSERVATION, ASSIGNMENTS), NEXT)
    passed, severity, told = verdict(here, run, "last_night_reconciles")
    assert (passed, severity, told["compared"]) == (False, "WARN", 1)
    assert "user_0001" in str(told["examples"])
    assert run.is_success, "it warns, and the night is published"
