"""`licenses rebuild`: the warehouse of the files alone, whatever the old one says; and one whose building ran out of
memory on the way is built with more, the same."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from assets import engine as engine_module
from assets.errors import PublishFailed
from assets.history import inputs
from assets.layout import snapshot_file
from assets.room import LITTLE, Limits
from assets.warehouse import build as build_module
from assets.warehouse.publish import bring_up_to_date, rebuild
from assets.warehouse.relations import Relation, create
from pipelines.subjects import SUBJECTS
from tests.commandline import Finished, licenses
from tests.history.snapshots import Snapshot, World, write_coverage, write_usage
from tests.same_rows import compared

pytestmark = pytest.mark.slow

NOW = datetime(2027, 1, 2, 2, tzinfo=UTC)
FIRST = date(2026, 6, 1)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Nights on which people come, go and change, one of them told late, and are seen in use."""
    made = World(tmp_path_factory.mktemp("built") / "data")
    made.root.mkdir()
    rosters: list[dict] = [
        {"ada": {}, "bob": {}},
        {"ada": {"license_type": "Admin", "role": "admin"}, "bob": {}},
        {"bob": {}, "eve": {}},
    ]
    for number in (0, 2, 1):
        day = FIRST + timedelta(days=number)
        staged = made.tree.staging(f"run {made.nights + 1}")
        write_usage(staged, "org", day, [{"holder_id": "bob", "usage_date": day}])
        write_coverage(staged, "org", day, FIRST)
        made.publish(Snapshot("org", day, {"user": rosters[number]}))
    return made


@pytest.fixture
def world(built: World, tmp_path: Path) -> World:
    return World(shutil.copytree(built.root, tmp_path / "data"), built.nights)


def told(world: World, *words: str) -> Finished:
    environment = {"LICENSES_DATA_DIR": str(world.root)}
    return licenses("rebuild", *words, environment=environment, folder=world.root.parent)


def test_it_says_from_how_many_days_and_what_it_made(world: World):
    finished = told(world)
    assert (finished.status, finished.err) == (0, "")
    first, second = finished.out.splitlines()
    assert first.startswith("Built anew from the snapshots of 3 days (2026-06-01 to 2026-06-03) and 1 organization: ")
    assert first.endswith(" relations, all checks hold.")
    assert second == f"Published: {world.tree.warehouse}"
    assert not bring_up_to_date(SUBJECTS, world.tree, NOW), "it shows what the files say"
    assert [path.name for path in world.root.glob(".*")] == [".writer.lock"]


def test_row_by_row_it_is_what_the_nights_have_made(world: World, tmp_path: Path):
    before = shutil.copytree(world.root, tmp_path / "before")
    assert rebuild(SUBJECTS, world.tree, NOW) == []
    assert list(compared(before, world.root)) == []


def test_nothing_of_the_old_file_is_believed_even_where_a_night_would_go_on_from_it(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    with duckdb.connect(str(world.tree.warehouse)) as connection:
        connection.execute("update snapshot_log set organization_name = 'Mallory'")
    monkeypatch.setattr(inputs, "is_ours", lambda warehouse, place: True)
    names = "select distinct organization_name from snapshot_log order by all"
    world.publish(Snapshot("org", FIRST + timedelta(days=3), {"user": {"bob": {}}}))
    assert world.ask(names) == [("Mallory",), ("Org",)]
    rebuild(SUBJECTS, world.tree, NOW)
    assert world.ask(names) == [("Org",)]


def test_a_file_that_cannot_be_read_is_named_with_status_3(world: World):
    path = snapshot_file(world.tree, FIRST, "org")
    path.write_bytes(path.read_bytes()[:500])
    finished = told(world)
    assert finished.status == 3
    assert "of 2 days" in finished.out
    assert str(path) in finished.err


def test_without_a_snapshot_there_is_nothing_to_build(tmp_path: Path):
    with pytest.raises(PublishFailed, match="There is no snapshot yet"):
        rebuild(SUBJECTS, World(tmp_path).tree, NOW)


def test_a_warehouse_that_did_not_fit_into_a_little_memory_is_built_with_more(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """A statement of the one transaction fails, in the midst of the relations."""
    before = shutil.copytree(world.root, tmp_path / "before")
    refused = []

    def short(connection: duckdb.DuckDBPyConnection, relation: Relation) -> None:
        allowed = connection.execute("select current_setting('memory_limit')").fetchall()
        if relation.name == "internal.license_stretches" and allowed == [("381.4 MiB",)]:
            refused.append(relation)
            raise duckdb.OutOfMemoryException("as the engine says it")
        create(connection, relation)

    monkeypatch.setattr(build_module, "create", short)
    monkeypatch.setattr(engine_module, "limits", lambda there: Limits(LITTLE, 2 * LITTLE))
    rebuild(SUBJECTS, world.tree, NOW)
    assert len(refused) == 1
    assert list(compared(before, world.root)) == []
    monkeypatch.setattr(engine_module, "limits", lambda there: Limits(LITTLE, LITTLE))
    with pytest.raises(PublishFailed, match=r"\(memory ran out: .+\)\. The old one stands"):
        rebuild(SUBJECTS, world.tree, NOW)
