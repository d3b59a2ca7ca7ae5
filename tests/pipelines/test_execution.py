"""The job as schedule and UI run it, without the command line before it: it keeps the same rules."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from pipelines import settings
from pipelines.execution import Outcome, run_night
from sandbox import serving
from tests.scripted import DAY, KEY, ScriptedApi, as_app, user

Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A night of an organization of one member of an unknown role, at 02:00 UTC on 2026-06-02."""
    with serving(as_app(ScriptedApi(users=[user(1, role="quantum_admin")]))) as url:
        monkeypatch.setattr("pipelines.installation.places.CHECKOUT", tmp_path)
        monkeypatch.setenv("DAGSTER_HOME", "")
        for name, value in (
            ("ANTHROPIC_BASE_URL", url),
            ("ANTHROPIC_ADMIN_KEY", KEY),
            ("LICENSES_NOW", "2026-06-02T02:00:00Z"),
        ):
            monkeypatch.setenv(name, value)
        (tmp_path / "data").mkdir()
        shutil.copytree(home, tmp_path / "data" / "dagster")
        yield lambda day, **options: run_night(settings.load(), day, **options)


@pytest.mark.slow
@pytest.mark.parametrize("day", [date(2026, 5, 31), date(2026, 6, 3)])
def test_an_impossible_day_is_refused_before_anything_is_asked_for(run: Run, day: date, tmp_path: Path):
    if day > datetime.now(UTC).date():
        pytest.skip("no such partition yet")
    outcome = run(day)
    assert (outcome.success, outcome.published) == (False, False)
    (sentence,) = outcome.failures
    assert sentence.startswith(f"{day} is over for too long" if day < DAY else f"{day} lies in the future")
    assert not (tmp_path / "data" / "landing").exists()


def test_a_missing_key_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    assert run(DAY).failures[0].startswith("No key for the organization: the environment variable ANTHROPIC_ADMIN_KEY")


def test_a_fault_of_our_own_is_a_sentence_with_its_traceback_kept_for_debug(run: Run, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("assets.warehouse.assets.publish", broken)
    outcome = run(DAY)
    assert outcome.failures == ["claude_licenses__warehouse failed: ZeroDivisionError: by zero (--debug shows where)"]
    assert "Traceback" not in outcome.failures[0]
    assert any("test_execution.py" in trace for trace in outcome.debug)


@pytest.mark.slow
def test_the_checks_say_what_they_found_and_unknown_roles_are_a_warning(run: Run, tmp_path: Path):
    outcome = run(DAY)
    assert outcome.success, outcome.failures
    with dg.DagsterInstance.from_config(str(tmp_path / "data" / "dagster")) as instance:
        records = instance.get_records_for_run(outcome.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        found = [one.event_log_entry.dagster_event.event_specific_data for one in records.records]
        told = {one.check_name: (one.passed, one.severity.value) for one in found}
        assert told["every_role_is_mapped"] == (False, "WARN")
        assert told["one_row_per_holder"] == told["every_organization_is_complete"] == (True, "ERROR")
        assert not {"drop_guard", "last_night_reconciles"} & told.keys(), "there was nothing to compare with"
