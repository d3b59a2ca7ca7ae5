"""A place that cannot hold a night is one sentence before anything is asked; looking leaves nothing behind."""

import os
import shutil
import tempfile
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assets.errors import WrongUse
from assets.files import preflight
from assets.files.preflight import require_room
from assets.layout import DataDirectory, snapshot_file
from sandbox import serving
from tests.commandline import Finished, Operator
from tests.scripted import DAY, ScriptedApi, api_key, as_app, user

NOBODY = 65534


@pytest.fixture
def api() -> ScriptedApi:
    return ScriptedApi(users=[user(1)], api_keys=[api_key(1)])


@pytest.fixture
def night(tmp_path: Path, api: ScriptedApi) -> Iterator[Callable[[Path], Finished]]:
    with serving(as_app(api)) as url:
        yield lambda place: Operator(tmp_path, url).night(DAY, LICENSES_DATA_DIR=str(place))


def a_file(folder: Path) -> Path:
    (folder / "data").write_text("mine")
    return folder / "data"


def below_a_file(folder: Path) -> Path:
    return a_file(folder) / "data"


def a_link_to_nowhere(folder: Path) -> Path:
    (folder / "data").symlink_to(folder / "disk" / "data")
    return folder / "data"


def a_landing_on_a_disk_that_is_away(folder: Path) -> Path:
    (folder / "data").mkdir()
    (folder / "data" / "landing").symlink_to(folder / "disk" / "landing")
    return folder / "data"


def a_loop(folder: Path) -> Path:
    (folder / "data").symlink_to(folder / "data")
    return folder / "data"


def a_name_that_is_too_long(folder: Path) -> Path:
    return folder / ("long" * 100)


def a_question(folder: Path) -> Path:
    return folder / "what?" / "data"


def bytes_that_are_no_text(folder: Path) -> Path:
    return folder / os.fsdecode(b"\xff") / "data"


def a_path_that_is_too_long(folder: Path) -> Path:
    return folder.joinpath(*["deeper and deeper"] * 230)


def a_folder_for_a_warehouse(folder: Path) -> Path:
    (folder / "data" / "warehouse.duckdb").mkdir(parents=True)
    return folder / "data"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (a_folder_for_a_warehouse, "warehouse.duckdb is a folder, where a file of ours belongs"),
        (a_file, "is a file, not a directory"),
        (below_a_file, "data"),
        (a_link_to_nowhere, "points to"),
        (a_landing_on_a_disk_that_is_away, "landing points to"),
        (a_loop, "points to"),
        (a_question, "DuckDB cannot keep a database where a path holds a question mark"),
        (bytes_that_are_no_text, "bytes that are no UTF-8"),
        (a_name_that_is_too_long, "File name too long"),
        (a_path_that_is_too_long, "too long"),
    ],
)
def test_a_place_that_is_none_is_refused_before_anything_is_asked(
    night: Callable[[Path], Finished], api: ScriptedApi, tmp_path: Path, place: Callable[[Path], Path], words: str
):
    refused = night(place(tmp_path))
    assert refused.status == 2
    assert words in refused.err
    assert (refused.err.count("\n"), "Traceback" in refused.err) == (1, False)
    assert api.asked == []


@pytest.fixture
def record() -> Iterator[DataDirectory]:
    """A data directory that another user may look into."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    data = DataDirectory(folder / "data")
    for place in (
        f"landing/org_1/{DAY}",
        str(snapshot_file(data, DAY, "org_1").parent.relative_to(data.root)),
        "usage/license_usage",
        "dagster/history",
        "reference",
    ):
        (data.root / place).mkdir(parents=True)
    snapshot_file(data, DAY, "org_1").touch()
    for place in (".writer.lock", "dagster/history/runs.db"):
        (data.root / place).touch()
    yield data
    shutil.rmtree(folder)


@contextmanager
def an_ordinary_user(data: DataDirectory, after_sudo: str) -> Iterator[None]:
    """Everything is theirs but `after_sudo`: that is root's, or, where the tests are not root's, may not be written."""
    if os.geteuid():
        (data.root / after_sudo).chmod(0o555)
        yield
        (data.root / after_sudo).chmod(0o755)
        return
    for place in (data.root.parent, data.root, *data.root.rglob("*")):
        os.chown(place, NOBODY, NOBODY)
    os.chown(data.root / after_sudo, 0, 0)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.parametrize(
    "left_by_root",
    [
        ".",
        "landing",
        "landing/org_1",
        f"landing/org_1/{DAY}",
        "snapshots/license_assignments",
        f"snapshots/license_assignments/snapshot_date={DAY}",
        "usage",
        "dagster",
        "dagster/history/runs.db",
        ".writer.lock",
    ],
)
def test_what_one_sudo_left_is_named_with_the_command_that_gives_it_back(record: DataDirectory, left_by_root: str):
    with an_ordinary_user(record, left_by_root), pytest.raises(WrongUse) as refused:
        require_room(record)
    assert str(refused.value).startswith(f"{record.root / left_by_root} belongs to ")
    assert f"{record.root})" in str(refused.value)
    assert "sudo chown -R" in str(refused.value)


@pytest.mark.parametrize(
    "not_ours", ["reference", "lost+found", "notes", "snapshots/@eaDir", "landing/.snapshot", "dagster/@eaDir"]
)
def test_what_is_not_ours_may_be_anybodys(record: DataDirectory, not_ours: str):
    (record.root / not_ours).mkdir(exist_ok=True)
    with an_ordinary_user(record, not_ours):
        require_room(record)


Disk = namedtuple("Disk", "f_frsize f_bavail f_files f_favail f_flag")


@pytest.mark.parametrize(
    ("disk", "words"),
    [
        (Disk(4096, 1000, 10**6, 10**6, 0), "has 4 MB free, and a night may need 50 MB"),
        (Disk(4096, 10**7, 10**6, 3, 0), "can hold only 3 more files"),
    ],
)
def test_a_disk_without_room_is_told(
    night: Callable[[Path], Finished],
    api: ScriptedApi,
    tmp_path: Path,
    disk: Disk,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("os.statvfs", lambda _: disk)
    refused = night(tmp_path / "data")
    assert refused.status == 2
    assert words in refused.err
    assert api.asked == []


def test_a_disk_that_fails_only_when_it_is_written_to_is_told(record: DataDirectory, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(preflight, "TemporaryFile", full)
    with pytest.raises(WrongUse, match=r"Nothing can be written into .*: Disk quota exceeded"):
        require_room(record)


def test_looking_leaves_nothing_behind(record: DataDirectory):
    before = {path: path.stat().st_mtime_ns for path in record.root.rglob("*")}
    require_room(record)
    assert {path: path.stat().st_mtime_ns for path in record.root.rglob("*")} == before
    require_room(DataDirectory(record.root / "not" / "there"))
    assert not (record.root / "not").exists()
