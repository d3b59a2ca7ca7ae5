"""`licenses run` without a key: the sandbox's nights and the days before them, whatever became of the last attempt."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

import pipelines.execution
from pipelines.cli import run as run_module
from pipelines.jobs import BACKFILL
from tests.commandline import Finished, licenses


@pytest.fixture(autouse=True)
def _a_short_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "NIGHTS", 2)
    monkeypatch.setattr(run_module, "DAYS_BEFORE", 3)
    monkeypatch.setattr(run_module, "_do_not_wait_for_the_disk", lambda: None)  # it would not, in the tests after this


@pytest.fixture
def killed_before_the_past(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Somebody ends it after the first night. It ends with the patch."""
    as_ever = pipelines.execution.run

    def run(*given: Any, job: str, **how: Any) -> pipelines.execution.Outcome:
        if job == BACKFILL:
            raise KeyboardInterrupt
        return as_ever(given[0], given[1], given[2], job, **how)

    with monkeypatch.context() as patch:
        patch.setattr(pipelines.execution, "run", run)
        yield patch


def _run(folder: Path) -> Finished:
    return licenses("run", environment={"LICENSES_DATA_DIR": str(folder / "data")}, folder=folder)


def _days(folder: Path) -> dict[date, str]:
    with duckdb.connect(folder / "data" / "sandbox" / "warehouse.duckdb", read_only=True) as warehouse:
        return dict(warehouse.execute("select snapshot_date, provenance from snapshot_log order by 1").fetchall())


@pytest.mark.slow
def test_the_days_before_the_nights_are_filled_by_the_next_attempt_when_the_first_was_killed(
    tmp_path: Path, killed_before_the_past: pytest.MonkeyPatch
):
    assert _run(tmp_path).status == 130
    killed_before_the_past.undo()
    assert _run(tmp_path).status == 0
    days = _days(tmp_path)
    assert list(days.values()) == ["reconstructed"] * 3 + ["observed"] * 2
    assert max(days) - min(days) == timedelta(days=4)


@pytest.mark.slow
def test_where_only_the_days_before_the_nights_are_missing_they_alone_are_filled(tmp_path: Path):
    assert _run(tmp_path).status == 0
    told = _days(tmp_path)
    for day in [day for day, provenance in told.items() if provenance == "reconstructed"]:
        for file in (tmp_path / "data" / "sandbox" / "snapshots").glob(f"*/snapshot_date={day}/*/*.parquet"):
            file.unlink()
    assert _run(tmp_path).status == 0
    assert _days(tmp_path) == told
