"""DuckDB within a bound: what does not fit is done again with more memory, and what still does not is a sentence."""

import fcntl
import os
import shutil
from pathlib import Path

import duckdb
import pytest

from assets import engine as engine_module
from assets.engine import SPILL, engine, make
from assets.errors import NoRoom
from assets.room import Limits

LITTLE, PLENTY = 4_000_000, 2_000_000_000
HOLDS = "select list(i) as everything from range(1_000_000) as r(i)"
"""Needs tens of megabytes at once, which cannot be spilled."""
SPILLS = "create table t as select i, hash(i)::varchar as h from range(3_000_000) as r(i)"


@pytest.fixture
def module(tmp_path: Path) -> str:
    """A module beside which a query stands that needs much memory."""
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "much.sql").write_text(HOLDS)
    return str(tmp_path / "module.py")


def allow(monkeypatch: pytest.MonkeyPatch, first: int, last: int) -> None:
    monkeypatch.setattr(engine_module, "limits", lambda there: Limits(first, last))


def test_what_does_not_fit_into_a_little_memory_is_done_again_with_more(
    monkeypatch: pytest.MonkeyPatch, module: str, tmp_path: Path
):
    allow(monkeypatch, LITTLE, PLENTY)
    with engine(tmp_path) as connection:
        make(connection, module, "much")
        assert connection.execute("select len(everything) from much").fetchall() == [(1_000_000,)]


def test_what_does_not_fit_at_all_is_a_sentence_with_the_setting(
    monkeypatch: pytest.MonkeyPatch, module: str, tmp_path: Path
):
    monkeypatch.setenv("LICENSES_MEMORY", "4MB")
    with pytest.raises(NoRoom) as refused, engine(tmp_path) as connection:
        make(connection, module, "much")
    assert str(refused.value) == "memory ran out: LICENSES_MEMORY allows DuckDB 4MB; set it to more, such as 8MB."


def test_a_spill_without_room_is_a_sentence_with_both_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("LICENSES_MEMORY", "20MB")
    with pytest.raises(NoRoom) as refused, engine(tmp_path) as connection:
        connection.execute(f"set max_temp_directory_size = '1MB'; {SPILLS}")
    assert str(refused.value) == (
        "neither memory nor disk has room: DuckDB may take 20MB of memory, and the disk of the data directory has no "
        "place for the rest; make room on it, or let LICENSES_DATA_DIR name another, or set LICENSES_MEMORY to more."
    )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            duckdb.IOException(f'IO Error: Could not write file "/d/w.duckdb": {os.strerror(28)}'),
            "/d/w.duckdb: the disk is full: make room on it, or let LICENSES_DATA_DIR name another.",
        ),
        (
            duckdb.FatalException(f"FATAL Error: database has been invalidated. Original error: {os.strerror(122)}"),
            "the disk quota is used up: make room on it, or let LICENSES_DATA_DIR name another.",
        ),
        (MemoryError(), "memory ran out: DuckDB may take "),
    ],
)
def test_whatever_way_the_engine_says_that_room_ran_out(tmp_path: Path, error: Exception, sentence: str):
    with pytest.raises(NoRoom) as refused, engine(tmp_path):
        raise error
    assert str(refused.value).startswith(sentence)


def test_what_is_no_lack_of_room_stays_what_it_is(tmp_path: Path):
    with pytest.raises(duckdb.CatalogException), engine(tmp_path) as connection:
        connection.execute("from nothing")


def test_it_spills_where_it_was_told_to_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("LICENSES_MEMORY", "20MB")
    with engine(tmp_path) as connection:
        connection.execute(SPILLS)
        (folder,) = tmp_path.glob(f"{SPILL}*")
        assert any(path.suffix == ".tmp" for path in folder.iterdir())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_a_sweep_takes_before_it_is_locked_is_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    made: list[Path] = []
    lock = fcntl.flock

    def swept(owner: int, operation: int) -> None:
        (folder,) = tmp_path.glob(f"{SPILL}*")
        made.append(folder)
        if len(made) == 1:
            shutil.rmtree(folder)
        lock(owner, operation)

    monkeypatch.setattr(fcntl, "flock", swept)
    with engine(tmp_path):
        assert list(tmp_path.glob(f"{SPILL}*")) == made[1:]


def test_it_has_as_many_threads_as_can_work_within_its_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for limit, threads in (("150MB", 1), ("100GB", len(os.sched_getaffinity(0)))):
        monkeypatch.setenv("LICENSES_MEMORY", limit)
        with engine(tmp_path) as connection:
            assert connection.execute("select current_setting('threads')").fetchall() == [(threads,)]
