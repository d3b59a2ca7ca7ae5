"""What the old warehouse knew may be wrong, or not to be read: the same night, the new one is made from all files."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from assets.warehouse import publish as publish_module
from assets.warehouse.checks import ChecksFailed, Finding
from tests.history.nights import after, differing
from tests.history.snapshots import Row, Snapshot, World

pytestmark = pytest.mark.slow

PEOPLE: dict[str, Row] = {"ada": {"name": "Ada"}, "bob": {"name": "Bob"}}
STRETCHES = "internal.license_stretches"
HEADERS, BLOCK = 3 * 4096, 262_144
"""How DuckDB lays out a file: three headers, then blocks of this many bytes."""


def night(number: int) -> Snapshot:
    return Snapshot("org", after(number), {"user": PEOPLE})


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.publish(night(0))
    return made


@contextmanager
def unnoticed(warehouse: Path) -> Iterator[None]:
    """Whatever is done to the file within, it keeps the time by which it is believed."""
    before = warehouse.stat()
    yield
    os.utime(warehouse, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_row_that_is_not_as_the_files_say_is_found_and_mended_in_the_night(
    world: World, caplog: pytest.LogCaptureFixture
):
    with unnoticed(world.tree.warehouse), duckdb.connect(str(world.tree.warehouse)) as connection:
        connection.execute(f"update {STRETCHES} set name = 'Mallory' where holder_id = 'bob'")
    world.publish(night(1))
    assert differing(world.tree.warehouse, world.anew()) == []
    (told,) = _warnings(caplog)
    assert told.startswith(
        "What the new warehouse took over from the old one does not hold (history gives the snapshots"
    )
    assert "user bob" in told
    assert "so it was built from all files instead, and all checks hold" in told


def test_a_file_that_is_damaged_inside_costs_no_night(world: World, caplog: pytest.LogCaptureFixture):
    with duckdb.connect(str(world.tree.warehouse), read_only=True) as connection:
        storage = connection.table_function("pragma_storage_info", [STRETCHES])
        block = min(number for (number,) in storage.select("block_id").fetchall() if number >= 0)
    with unnoticed(world.tree.warehouse), world.tree.warehouse.open("r+b") as file:
        file.seek(HEADERS + block * BLOCK)
        file.write(bytes(BLOCK))
    world.publish(night(1))
    assert differing(world.tree.warehouse, world.anew()) == []
    (told,) = _warnings(caplog)
    assert told.startswith("What the new warehouse took over from the old one does not hold (Corrupt database file")


def test_where_all_files_together_do_not_hold_either_the_old_one_stands(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    before = world.tree.warehouse.read_bytes()
    monkeypatch.setattr(publish_module, "verify", lambda *_: [Finding("one_and_one_are_two", 1, ("3",))])
    with pytest.raises(ChecksFailed, match=r"was not put in place; the old one stands\..*\n- one and one are two: 3"):
        world.publish(night(1))
    assert world.tree.warehouse.read_bytes() == before
    assert _warnings(caplog) == [], "nothing was mended"


def test_a_sound_one_is_gone_on_from_without_a_word(world: World, caplog: pytest.LogCaptureFixture):
    world.publish(night(1), at=datetime(2027, 1, 2, tzinfo=UTC))
    assert _warnings(caplog) == []


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
