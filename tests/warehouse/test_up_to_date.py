"""A warehouse that does not show what the files say is built again, whatever the reason; else it is left alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from assets.errors import LicenseHistoryError
from assets.files.publishing import publishing
from assets.layout import SNAPSHOTS, snapshot_file
from assets.snapshots.restatement import restate
from assets.warehouse import seal
from assets.warehouse.publish import bring_up_to_date
from pipelines.subjects import SUBJECTS
from tests.files.disks import killed_at, leftovers
from tests.history.snapshots import Snapshot, World, write

pytestmark = pytest.mark.slow

DAY, NOW = date(2026, 6, 1), datetime(2027, 1, 2, 2, tzinfo=UTC)
ONE = Snapshot("org", DAY, {"user": {"user_1": {}}})


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.publish(ONE)
    return made


def killed_before_the_warehouse(world: World, *snapshots: Snapshot) -> None:
    """What a backfill leaves that was killed after its last day: the days' files, and the warehouse as it was."""
    staged = world.tree.staging("killed")
    for snapshot in snapshots:
        write(staged, snapshot, NOW)
    restate(world.tree, staged)
    with publishing(staged, world.tree, (SNAPSHOTS,)):
        pass


def another_day(world: World) -> None:
    killed_before_the_warehouse(world, replace(ONE, day=DAY + timedelta(days=1)))


def replaced_day(world: World) -> None:
    killed_before_the_warehouse(world, replace(ONE, rosters={"user": {"user_1": {}, "user_2": {}}}))


def lost(world: World) -> None:
    world.tree.warehouse.unlink()


def cut(world: World) -> None:
    world.tree.warehouse.write_bytes(world.tree.warehouse.read_bytes()[:5000])


def scribbled_on(world: World) -> None:
    with duckdb.connect(str(world.tree.warehouse)) as connection:
        connection.execute("delete from internal.input_files")


def edited_reference(world: World) -> None:
    (world.root / "reference").mkdir()
    (world.root / "reference" / "prices.csv").write_text(
        "license_type,organization,valid_from,valid_to,amount,currency\nUser,all,,,30.00,USD\n"
    )


@pytest.mark.parametrize("change", [another_day, replaced_day, lost, cut, scribbled_on, edited_reference])
def test_whatever_makes_the_warehouse_differ_from_the_files_is_mended(world: World, change: Callable[[World], None]):
    assert not bring_up_to_date(SUBJECTS, world.tree, NOW)
    change(world)
    assert bring_up_to_date(SUBJECTS, world.tree, NOW)
    assert not bring_up_to_date(SUBJECTS, world.tree, NOW)
    files = len(list(world.tree.snapshots.glob("*/*/part.parquet")))
    assert world.ask("select count(*), count(*) filter (where users = 2) from snapshot_log") == [
        (files, int(change is replaced_day))
    ]
    assert world.ask("select count(*) from restatements") == [(int(change is replaced_day),)]
    assert leftovers(world.root) == []


def test_a_warehouse_of_another_version_is_built_again(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(seal, "made_by", lambda: "another version")
    assert bring_up_to_date(SUBJECTS, world.tree, NOW)
    assert not bring_up_to_date(SUBJECTS, world.tree, NOW)


def test_killed_while_the_warehouse_is_brought_up_to_date_the_next_time_does_it(world: World):
    before = world.tree.warehouse.read_bytes()
    another_day(world)
    with killed_at(4) as calls:
        bring_up_to_date(SUBJECTS, world.tree, NOW)
    assert len(calls) >= 4
    assert world.tree.warehouse.read_bytes() == before
    assert bring_up_to_date(SUBJECTS, world.tree, NOW)
    assert world.ask("select count(*) from snapshot_log") == [(2,)]
    assert leftovers(world.root) == []


def test_where_nothing_was_ever_published_there_is_nothing_to_bring_up_to_date(tmp_path: Path):
    assert not bring_up_to_date(SUBJECTS, World(tmp_path).tree, NOW)


def test_what_was_signed_and_changed_is_said_whoever_looks(world: World):
    log = world.root / "finance" / "log" / "0001.json"
    log.parent.mkdir(parents=True)
    log.write_text("{")
    with pytest.raises(LicenseHistoryError, match=r"0001\.json: it cannot be read"):
        bring_up_to_date(SUBJECTS, world.tree, NOW)
    assert snapshot_file(world.tree, DAY, "org").exists()


def test_what_cannot_be_read_is_not_missed_again_and_again(world: World):
    replaced_day(world)
    assert bring_up_to_date(SUBJECTS, world.tree, NOW)
    (restatement,) = (world.root / "restatements").rglob("0001.parquet")
    restatement.write_bytes(restatement.read_bytes()[:100])
    bring_up_to_date(SUBJECTS, world.tree, NOW)
    assert not bring_up_to_date(SUBJECTS, world.tree, NOW), "the warehouse is as good as it gets"
    assert world.ask("select users from snapshot_log") == [(2,)]


def test_a_damaged_file_that_is_replaced_was_no_version_of_the_day(world: World):
    damaged = snapshot_file(world.tree, DAY, "org")
    damaged.write_bytes(damaged.read_bytes()[:100])
    replaced_day(world)
    assert bring_up_to_date(SUBJECTS, world.tree, NOW)
    assert world.ask("select users, (select count(*) from restatements) from snapshot_log") == [(2, 0)]
    assert not (world.root / "superseded").exists()
