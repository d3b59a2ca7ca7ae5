"""Killed at any call that changes the disk: the next clean run finishes what was begun, once, and leaves nothing over.

The warehouse is played by a list of the files that it would be built from; everything else is real.
"""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from assets.engine import SPILL, engine
from assets.errors import PublishFailed
from assets.files.atomic import whole_file
from assets.files.publishing import claim, discard, publishing, sweep, writing
from assets.layout import FINANCE, RESTATEMENTS, SNAPSHOTS, SUPERSEDED, USAGE, DataDirectory, day_files, snapshot_file
from assets.snapshots.ending import Derived
from assets.snapshots.imported.kept import keep, target_of
from assets.snapshots.imported.mapping import Mapping
from assets.snapshots.past.fill import Filling, published
from assets.snapshots.restatement import read_restatement
from assets.warehouse import publish as publish_module
from assets.warehouse.publish import publish
from assets.warehouse.subject import Subjects
from pipelines.subjects import SUBJECTS
from tests.files.disks import failing_at, forget_claims, killed_at, leftovers, without_hard_links
from tests.history.snapshots import Snapshot, World, write, write_usage

pytestmark = pytest.mark.slow

DAY = date(2026, 6, 1)
NIGHT = datetime(2026, 6, 2, 2, tzinfo=UTC)
OLD = [Snapshot(name, DAY, {"user": {"user_1": {}}}, is_final=False) for name in ("a", "b")]
NEW = [replace(one, rosters={"user": {"user_1": {}, "user_2": {}}}, is_final=True) for one in OLD]
NEXT = Snapshot("a", DAY + timedelta(days=1), {"user": {"user_1": {}}})


Way = Callable[[DataDirectory, DataDirectory, datetime], object]


@dataclass
class Place:
    """A data directory, and runs that publish into it what is staged already in `runs`, each time another one's."""

    data: DataDirectory
    runs: list[Path]

    def run(self, way: Way) -> None:
        at = NIGHT + timedelta(hours=10 - len(self.runs))
        staged = claim(self.data.staging(f"run_{len(self.runs)}"))
        shutil.copytree(self.runs.pop(0), staged.root, dirs_exist_ok=True)
        way(self.data, staged, at)

    def rows(self) -> dict[tuple[str, str], int]:
        """How many holders each published snapshot has."""
        files = day_files(SNAPSHOTS, self.data)
        return {(file.organization_id, str(file.day)): pq.read_metadata(file.path).num_rows for file in files}

    def told(self) -> list[tuple[str, int, int]]:
        """Each restatement: of whom, its number, and how many rows it says to have changed."""
        files = day_files(RESTATEMENTS, self.data)
        read = [read_restatement(file.path) for file in files]
        assert [(one.snapshot_date, one.organization_id) for one in read] == [file[:2] for file in files]
        return [(file.organization_id, file.number, pq.read_metadata(file.path).num_rows) for file in files]

    def everything(self) -> dict[str, bytes]:
        """Every file that a reader may find."""
        places = (self.data.root / name for name in ("snapshots", "usage", "superseded", "restatements"))
        files = [self.data.warehouse, *(path for place in places for path in place.rglob("*") if path.is_file())]
        return {str(path.relative_to(self.data.root)): path.read_bytes() for path in files}

    def kept(self) -> dict[tuple[str, int], bytes]:
        """The superseded versions' contents."""
        return {
            (file.organization_id, file.number): file.path.read_bytes() for file in day_files(SUPERSEDED, self.data)
        }


def by_night(data: DataDirectory, staged: DataDirectory, at: datetime) -> None:
    """As a night publishes: with its warehouse."""
    publish(SUBJECTS, data, staged, at)


def by_backfill(data: DataDirectory, staged: DataDirectory, at: datetime) -> None:
    """As a backfill and an import publish: each day at once, the warehouse at the end."""
    facts = Snapshot("a", DAY).facts()
    published(Derived(facts, unchanged=False), Filling(data, staged, at, "run", "again"))
    publish(SUBJECTS, data, staged, at)


def staged_run(tree: DataDirectory, number: int, *snapshots: Snapshot) -> Path:
    """What the run of that number stages."""
    for snapshot in snapshots:
        write(tree, snapshot, loaded_at=NIGHT + timedelta(hours=number))
        write_usage(tree, snapshot.organization, snapshot.day, [{"holder_id": "user_1", "usage_date": snapshot.day}])
    return tree.root


def shown(data: DataDirectory) -> dict[str, int]:
    """What the pretended warehouse shows: the size of each file that it was made from."""
    return dict(json.loads(data.warehouse.read_text()))


def _listed(*trees: DataDirectory) -> dict[str, int]:
    files = [(name, file) for name in (SNAPSHOTS, USAGE, RESTATEMENTS) for file in day_files(name, *trees)]
    return {
        f"{dataset} {one.organization_id} {one.day} {one.number}": one.path.stat().st_size for dataset, one in files
    }


@pytest.fixture(autouse=True)
def _pretended_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(_: Subjects, data: DataDirectory, staged: DataDirectory, place: Path, **_how: object) -> None:
        place.write_text(json.dumps(_listed(data, staged)))

    monkeypatch.setattr(publish_module, "_make", make)
    monkeypatch.setattr(
        "assets.snapshots.snapshot.unreadable", lambda paths: []
    )  # none is damaged, and looking takes its time


@pytest.fixture
def before(tmp_path: Path) -> Place:
    """Two organizations' provisional day, published, and a run that replaces both and adds a day, as it begins anew."""
    old = staged_run(DataDirectory(tmp_path / "old"), 1, *OLD)
    anew = [staged_run(DataDirectory(tmp_path / f"new_{number}"), number, *NEW, NEXT) for number in (2, 3, 4)]
    place = Place(DataDirectory(tmp_path / "before"), [old, *anew])
    place.run(by_night)
    return place


def copies(before: Place, folder: Path, first: int = 1, step: int = 1) -> Iterator[tuple[int, Place]]:
    """As many copies of it as are wanted, each with its number."""
    for turn in count(first, step):
        copy = folder / str(turn)
        shutil.copytree(before.data.root, copy)
        yield turn, Place(DataDirectory(copy), [*before.runs])
        shutil.rmtree(copy)


def expect_the_truth(place: Place, before: Place) -> None:
    """The new versions stand, each replacement is told and kept once, and nothing else lies about."""
    assert place.rows() == {("a", "2026-06-01"): 2, ("b", "2026-06-01"): 2, ("a", "2026-06-02"): 1}
    assert place.told() == [("a", 1, 1), ("b", 1, 1)]
    old = {(name, 1): snapshot_file(before.data, DAY, name).read_bytes() for name in ("a", "b")}
    assert place.kept() == old
    assert shown(place.data) == _listed(place.data)
    assert leftovers(place.data.root) == []


@pytest.mark.parametrize(
    ("way", "links", "first", "step"),
    [(by_night, True, 1, 2), (by_night, False, 1, 5), (by_backfill, True, 2, 5), (by_backfill, False, 3, 5)],
)
def test_killed_at_any_call_the_next_run_finishes_and_tells_each_replacement_once(
    before: Place, tmp_path: Path, way: Way, links: bool, first: int, step: int
):
    with nullcontext() if links else without_hard_links():
        for turn, place in copies(before, tmp_path, first, step):
            finished = False
            with killed_at(turn) as calls:
                place.run(way)
                finished = True
            if finished:
                break
            place.run(way)
            try:
                expect_the_truth(place, before)
            except AssertionError as error:
                error.add_note(f"killed at call {turn}: {calls[turn - 1]}")
                raise
    assert turn > 40
    expect_the_truth(place, before)


@pytest.mark.parametrize(("first", "second"), [(23, 30), (26, 23), (30, 36), (45, 24), (52, 44)])
def test_killed_twice_no_replacement_is_told_twice(before: Place, tmp_path: Path, first: int, second: int):
    _, place = next(copies(before, tmp_path))
    for turn in (first, second):
        with killed_at(turn):
            place.run(by_night)
    place.run(by_night)
    expect_the_truth(place, before)


def test_a_call_that_fails_once_either_changes_nothing_or_not_the_end(before: Place, tmp_path: Path):
    """A full disk, at any call: one sentence that names the file, and all is as it was; or all is as it should be."""
    seen = set()
    for turn, place in copies(before, tmp_path, 1, 7):
        old = place.everything()
        refused = None
        with failing_at(turn) as calls:
            try:
                place.run(by_night)
            except PublishFailed as error:
                refused = str(error)
        if len(calls) < turn:
            break
        seen.add(refused is None)
        if refused:
            assert "the disk is full" in refused, refused
            assert "The old one stands" in refused
            assert place.everything() == old, calls[turn - 1]
        forget_claims()
        place.run(by_night)
        expect_the_truth(place, before)
    assert seen == {True, False}


@pytest.mark.parametrize("elsewhere", ["snapshots", "superseded", "usage", "staging"])
def test_a_folder_that_lies_on_another_disk_is_published_into_all_the_same(
    before: Place, tmp_path: Path, elsewhere: str, other_disk: Path
):
    _, place = next(copies(before, tmp_path))
    (place.data.root / elsewhere).mkdir(exist_ok=True)
    shutil.move(place.data.root / elsewhere, other_disk / elsewhere)
    (place.data.root / elsewhere).symlink_to(other_disk / elsewhere)
    with killed_at(30):
        place.run(by_night)
    place.run(by_night)
    expect_the_truth(place, before)


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A folder on another disk than the temporary ones, or at least somewhere else."""
    shared = Path("/dev/shm")
    with TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


@pytest.mark.parametrize("word", ["EACCES", "EROFS", "ENOLCK"])
def test_a_directory_that_cannot_be_locked_is_one_sentence(before: Place, monkeypatch: pytest.MonkeyPatch, word: str):
    def refuse(_lock: FileLock) -> None:
        number = getattr(errno, word)
        raise OSError(number, os.strerror(number), str(before.data.root / ".writer.lock"))

    monkeypatch.setattr(FileLock, "_acquire", refuse)
    with pytest.raises(PublishFailed, match=r"cannot be written to: .*Nothing was changed") as refused:
        publish(SUBJECTS, before.data, before.data.staging("run"), NIGHT)
    assert "\n" not in str(refused.value)


def test_a_closing_killed_at_any_call_is_signed_or_not(tmp_path: Path):
    for turn in count(1):
        data = DataDirectory(tmp_path / str(turn))
        month = "finance/closed/month=2026-05/closing=0001/lines.parquet"
        staged = data.staging("finance")
        for name, text in ((month, "figures"), ("finance/log/0001.json", "entry")):
            (staged.root / name).parent.mkdir(parents=True, exist_ok=True)
            (staged.root / name).write_text(text)
        finished = False
        with killed_at(turn), publishing(staged, data, (FINANCE,)):
            finished = True
        with writing(data):
            sweep(data, keep=data.staging("none"))
        is_signed = (data.root / "finance/log/0001.json").exists()
        assert (data.root / month).exists() == is_signed, turn
        assert leftovers(data.root) == []
        if finished and is_signed and not staged.root.exists():
            break
    assert turn > 10


def test_what_somebody_is_still_writing_is_not_swept(tmp_path: Path):
    data = DataDirectory(tmp_path)
    report = tmp_path / "reports" / "2026-05" / "report.html"
    theirs = claim(data.staging("another run"))
    try:
        with whole_file(report) as place, writing(data):
            place.write_text("half")
            sweep(data, keep=data.staging("ours"))
            place.write_text("whole")
        assert report.read_text() == "whole"
        assert theirs.root.exists()
    finally:
        discard(theirs)
    assert not theirs.root.exists()


def test_what_a_killed_engine_spilled_is_swept_and_what_one_at_work_spills_is_not(tmp_path: Path):
    data = DataDirectory(tmp_path)
    left = tmp_path / f"{SPILL}left"
    left.mkdir()
    (left / "duckdb_temp_storage.tmp").touch()
    with engine(tmp_path), writing(data):
        (theirs,) = (folder for folder in tmp_path.glob(f"{SPILL}*") if folder != left)
        sweep(data, keep=data.staging("ours"))
        assert list(tmp_path.glob(f"{SPILL}*")) == [theirs]


def test_a_file_whose_keeping_was_killed_is_kept_once_by_the_next_import(tmp_path: Path):
    file = tmp_path / "people.csv"
    file.write_text("email\na@x.org\n")
    for turn in count(1):
        data = DataDirectory(tmp_path / str(turn))
        mapping = Mapping(columns={"email": "email"}, values={}, roles={}, statuses={}, ignored=[])
        target = target_of(file, "org_1", DAY, NIGHT, "run_1")
        finished = False
        with killed_at(turn):
            keep(file, target, mapping, None, data)
            finished = True
        kept = keep(file, target._replace(run_id="run_2"), mapping, None, data)
        with writing(data):
            sweep(data, keep=data.staging("none"))
        assert kept.file.read_bytes() == file.read_bytes()
        assert sorted(path.name for path in kept.folder.iterdir()) == ["manifest.json", "people.csv"]
        assert leftovers(data.root) == []
        if finished:
            break
    assert turn > 5


def test_what_is_linked_into_our_folders_is_not_swept_and_leads_nobody_round_in_circles(tmp_path: Path):
    world, foreign = World(tmp_path / "data"), tmp_path / "foreign"
    theirs = foreign / f".budget.xlsx.{'0' * 32}.replaced"
    theirs.parent.mkdir()
    theirs.write_bytes(b"somebody else's")
    reports = world.tree.root / "reports"
    reports.mkdir(parents=True)
    (reports / "shared").symlink_to(foreign)
    for name in ("latest", "newest", "current"):
        (reports / name).symlink_to(".")
    ours = reports / f".2026-10.html.{'0' * 32}.tmp"
    ours.write_bytes(b"left by a kill")
    world.publish(NEXT)
    assert theirs.exists()
    assert not ours.exists()
