"""Files appear whole or not at all; what is published together comes back together if it fails."""

import multiprocessing
import os
from pathlib import Path

import pytest

from assets.layout import SNAPSHOTS, USAGE, DataDirectory, publishing, snapshot_file, usage_file, whole_file
from tests.scripted import DAY


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path):
    place = tmp_path / "deep" / "file.txt"
    with whole_file(place) as temporary:
        temporary.write_text("half")
        assert not place.exists()
        assert temporary.parent == place.parent, "beside its place, so that moving it is one step"
        temporary.write_text("whole")
    assert contents(tmp_path) == {"deep/file.txt": "whole"}


def test_a_file_that_fails_leaves_the_old_one_and_nothing_else(tmp_path: Path):
    place = tmp_path / "file.txt"
    place.write_text("old")

    def fail_halfway() -> None:
        with whole_file(place) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert contents(tmp_path) == {"file.txt": "old"}


def test_whoever_has_the_old_file_open_keeps_it(tmp_path: Path):
    place = tmp_path / "file.txt"
    place.write_text("old")
    with place.open() as reader:
        with whole_file(place) as temporary:
            temporary.write_text("new")
        assert reader.read() == "old"
    assert place.read_text() == "new"


@pytest.fixture
def trees(tmp_path: Path) -> tuple[DataDirectory, DataDirectory]:
    """A published tree with one snapshot, and a staged one that replaces it and adds two files."""
    data = DataDirectory(tmp_path / "data")
    staged = data.staging("run_1")
    for place, text in (
        (snapshot_file(data, DAY, "org_1"), "old"),
        (snapshot_file(staged, DAY, "org_1"), "new"),
        (snapshot_file(staged, DAY, "org_2"), "new"),
        (usage_file(staged.usage, DAY, "org_1"), "new"),
    ):
        place.parent.mkdir(parents=True)
        place.write_text(text)
    return data, staged


def test_what_is_staged_is_published_in_the_hive_layout_of_the_design(trees: tuple[DataDirectory, DataDirectory]):
    data, staged = trees
    with publishing(staged, data, (USAGE, SNAPSHOTS)) as moved:
        assert len(moved) == 3
    assert {name: text for name, text in contents(data.root).items() if not name.startswith("superseded/")} == {
        "snapshots/license_assignments/snapshot_date=2026-06-01/organization_id=org_1/part.parquet": "new",
        "snapshots/license_assignments/snapshot_date=2026-06-01/organization_id=org_2/part.parquet": "new",
        "usage/license_usage/observed_day=2026-06-01/organization_id=org_1/part.parquet": "new",
    }


def test_if_publishing_fails_everything_is_put_back(trees: tuple[DataDirectory, DataDirectory]):
    data, staged = trees
    before = contents(data.root)
    with pytest.raises(RuntimeError), publishing(staged, data, (USAGE, SNAPSHOTS)):
        raise RuntimeError
    assert contents(data.root) == before


def test_if_a_file_cannot_be_moved_those_before_it_are_put_back(
    trees: tuple[DataDirectory, DataDirectory], monkeypatch: pytest.MonkeyPatch
):
    data, staged = trees
    before, replace, moves = contents(data.root), Path.replace, [0]

    def third_fails(self: Path, target: Path) -> Path:
        moves[0] += 1
        if moves[0] == 3:
            raise OSError("No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", third_fails)
    with pytest.raises(OSError, match="No space left"), publishing(staged, data, (USAGE, SNAPSHOTS)):
        pytest.fail("nothing was published")
    assert contents(data.root) == before


def _write_and_die(root: str) -> None:
    with DataDirectory(Path(root)).writing():
        os.kill(os.getpid(), 9)


def test_a_writer_that_was_killed_blocks_nobody(tmp_path: Path):
    process = multiprocessing.get_context("fork").Process(target=_write_and_die, args=(str(tmp_path),))
    process.start()
    process.join()
    assert process.exitcode == -9
    with DataDirectory(tmp_path).writing():
        pass
