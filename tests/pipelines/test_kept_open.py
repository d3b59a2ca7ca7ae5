"""Dagster's databases, kept open: fewer openings, the same files, and others at them at the same time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from assets.layout import DataDirectory
from pipelines.installation.instance import instance, prepare_home
from tests.commandline import environment_restored

DAYS = [f"2026-06-{day:02}" for day in range(1, 11)]


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path / "data")


@pytest.fixture
def ours(data: DataDirectory) -> Iterator[dg.DagsterInstance]:
    with environment_restored(), instance(data) as opened:
        yield opened


@pytest.fixture
def theirs(ours: dg.DagsterInstance, data: DataDirectory) -> Iterator[dg.DagsterInstance]:
    """The same home as the UI and its daemon have it open."""
    with dg.DagsterInstance.from_config(str(prepare_home(data))) as opened:
        yield opened


def _tell(opened: dg.DagsterInstance, *days: str) -> None:
    for day in days:
        opened.report_runless_asset_event(dg.AssetMaterialization("seats", partition=day))


def _known(opened: dg.DagsterInstance) -> set[str]:
    return opened.get_materialized_partitions(dg.AssetKey("seats"))


def test_a_database_is_opened_once_however_many_events_are_written(ours: dg.DagsterInstance):
    opened: list[Any] = []
    _tell(ours, DAYS[0])

    def noted(connection: Any, _record: object) -> None:
        opened.append(connection)

    event.listen(Engine, "connect", noted)
    try:
        _tell(ours, *DAYS[1:])
    finally:
        event.remove(Engine, "connect", noted)
    assert opened == []
    assert _known(ours) == set(DAYS)


def test_of_many_runs_only_the_one_in_use_is_kept_open(ours: dg.DagsterInstance):
    """Each has a database of its own, and files that a process may have open are few."""
    opened: set[int] = set()

    def noted(connection: Any, _record: object) -> None:
        opened.add(id(connection))

    def closed(connection: Any, _record: object) -> None:
        opened.discard(id(connection))

    _tell(ours, DAYS[0])  # into the index, which stays open
    event.listen(Engine, "connect", noted)
    event.listen(Engine, "close", closed)
    try:
        for _ in range(3):
            ours.report_engine_event("at work", job_name="nightly", run_id=str(uuid4()))
        assert len(opened) == 1
    finally:
        event.remove(Engine, "connect", noted)
        event.remove(Engine, "close", closed)


def test_the_ui_and_a_night_write_in_turns_and_see_what_the_other_has_written(
    ours: dg.DagsterInstance, theirs: dg.DagsterInstance
):
    for one, writer in zip(DAYS, [ours, theirs] * 5, strict=True):
        _tell(writer, one)
    assert _known(ours) == _known(theirs) == set(DAYS)


def test_what_was_written_lies_in_the_files_when_the_instance_is_closed(data: DataDirectory):
    with environment_restored(), instance(data) as opened:
        _tell(opened, *DAYS)
    assert [place.name for place in data.dagster_home.rglob("*-wal")] == []
    with dg.DagsterInstance.from_config(str(prepare_home(data))) as again:
        assert _known(again) == set(DAYS)
