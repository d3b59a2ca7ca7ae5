"""Files appear whole or not at all, what is published together comes back together, and only our own names are ours."""

import multiprocessing
import os
from pathlib import Path

import pytest

from assets.files.atomic import whole_file
from assets.files.publishing import publishing, writing
from assets.layout import (
    RESTATEMENTS,
    SNAPSHOTS,
    USAGE,
    DataDirectory,
    DayFile,
    day_files,
    files_of_day,
    numbered_files,
    observation_folders,
    organization_folders,
    snapshot_file,
    usage_file,
)
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


def _write_and_die(root: str) -> None:
    with writing(DataDirectory(Path(root))):
        os.kill(os.getpid(), 9)


def test_a_writer_that_was_killed_blocks_nobody(tmp_path: Path):
    process = multiprocessing.get_context("fork").Process(target=_write_and_die, args=(str(tmp_path),))
    process.start()
    process.join()
    assert process.exitcode == -9
    with writing(DataDirectory(tmp_path)):
        pass


def test_what_is_not_called_exactly_as_we_call_it_is_not_ours(trees: tuple[DataDirectory, DataDirectory]):
    data, _ = trees
    place = snapshot_file(data, DAY, "org_1")
    day = place.parent.parent
    for stray in (
        day / "organization_id=org_1 - Copy" / "part.parquet",
        day / "organization_id=org_1.bak" / "part.parquet",
        day.with_name(f"{day.name} (copy)") / "organization_id=org_1" / "part.parquet",
        day.with_name("snapshot_date=20260602") / "organization_id=org_1" / "part.parquet",
        day.with_name("snapshot_date=2026-02-30") / "organization_id=org_1" / "part.parquet",
        place.with_name("part (1).parquet"),
        place.with_name("._part.parquet"),
        place.with_name("part.parquet~"),
        day / "desktop.ini",
        data.snapshots / ".DS_Store",
        data.root / RESTATEMENTS / day.name / place.parent.name / "0001 (1).parquet",
        data.root / "landing" / "org_1" / str(DAY) / "desktop.ini",
        data.root / "landing" / "org_1" / str(DAY) / "20260602T020000Z-001.bak" / "manifest.json",
        data.root / "landing" / "desktop.ini",
        data.root / "landing" / "org_1 - Copy" / "x",
        data.root / "finance" / "log" / "0001 (1).json",
    ):
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_text("x")
    stat = place.stat()
    assert day_files(SNAPSHOTS, data) == [DayFile(DAY, "org_1", 0, str(place), stat.st_size, stat.st_mtime_ns)]
    assert files_of_day(SNAPSHOTS, DAY, data) == day_files(SNAPSHOTS, data, organization_id="org_1")
    assert day_files(RESTATEMENTS, data) == []
    assert [folder.name for folder in organization_folders(data.root / "landing")] == ["org_1"]
    assert observation_folders(data.landing("org_1", DAY)) == []
    assert numbered_files(data.root / "finance" / "log", ".json") == []


def test_of_two_trees_the_later_ones_file_counts(trees: tuple[DataDirectory, DataDirectory]):
    data, staged = trees
    assert [file.path.is_relative_to(staged.root) for file in day_files(SNAPSHOTS, data, staged)] == [True, True]
