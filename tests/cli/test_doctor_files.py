"""The doctor on what lies on the disk: damaged files, leftovers, strays, the warehouse, the place itself."""

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from assets.files import preflight
from assets.files.atomic import beside
from assets.layout import DataDirectory, snapshot_file, usage_file
from assets.room import Memory
from pipelines.cli.doctor.findings import Mark
from pipelines.cli.doctor.folder import examine_memory
from pipelines.installation import places
from tests.cli.conftest import COMPANY, DAY, Check

pytestmark = pytest.mark.slow


def cut(path: Path) -> Path:
    """As a full disk or a failing one leaves a file: its beginning, without the footer."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def parquet_files(data: DataDirectory) -> dict[str, Path]:
    return {
        "snapshot": snapshot_file(data, DAY, COMPANY.id),
        "usage": usage_file(data.usage, DAY, COMPANY.id),
        "coverage": usage_file(data.coverage, DAY, COMPANY.id),
    }


@pytest.mark.parametrize("kind", ["snapshot", "usage", "coverage"])
def test_a_file_whose_footer_is_gone_is_named_with_the_command_that_mends_it(
    check: Check, data: DataDirectory, kind: str
):
    path = cut(parquet_files(data)[kind])
    said = check(COLUMNS="400")
    assert said.status == 1
    finding = said.about("problem", "damaged file")
    assert f"{path} cannot be read" in finding
    assert f"licenses backfill --from {DAY} --to {DAY}" in finding


@pytest.mark.parametrize("content", [b"", b"PAR1 and then the disk was full", b"\0" * 4096])
def test_whatever_stands_in_a_damaged_file_the_doctor_goes_on(check: Check, data: DataDirectory, content: bytes):
    for path in parquet_files(data).values():
        path.write_bytes(content)
    said = check()
    assert said.status == 1
    assert said.subjects("problem") == ["damaged file"] * 3
    assert "last nightly run" in said.subjects("ok")


def test_a_folder_where_a_snapshot_should_be_is_a_lost_file(check: Check, data: DataDirectory):
    path = snapshot_file(data, DAY, COMPANY.id)
    path.unlink()
    path.mkdir()
    said = check()
    assert said.status == 1
    assert str(path) in said.about("problem", "damaged file")


@pytest.mark.parametrize("name", [".writer.lock", ".night.lock", "dagster/.opening.lock", "warehouse.duckdb"])
def test_a_folder_where_a_run_makes_a_file_is_a_problem(check: Check, data: DataDirectory, name: str):
    path = data.root / name
    path.unlink(missing_ok=True)
    path.mkdir()
    said = check()
    assert said.status == 1
    assert f"{path} is a folder, where a file of ours belongs" in said.about("problem", "place")


def test_a_kept_table_of_license_types_that_was_cut_is_a_damaged_file(check: Check, data: DataDirectory):
    path = cut(next((data.root / "mappings" / "license_types").glob("*.parquet")))
    said = check()
    assert said.status == 1
    assert str(path) in said.about("problem", "damaged file")


def test_files_that_can_be_read_are_counted(check: Check, data: DataDirectory):
    assert check().about("ok", "files") == "ok files: the footers of 4 Parquet files can be read."


def test_what_was_signed_and_has_changed_is_a_problem(check: Check, data: DataDirectory):
    log = data.root / "finance" / "log" / "0001.json"
    log.parent.mkdir(parents=True)
    log.write_text("{")
    said = check()
    assert said.status == 1
    assert "What was signed must not change" in said.about("problem", "signed months")


def test_a_manifest_that_was_cut_is_a_note(check: Check, data: DataDirectory):
    manifest = cut(next((data.root / "landing" / COMPANY.id / str(DAY)).glob("*/manifest.json")))
    finding = check(COLUMNS="400").about("note", "landing")
    assert "cannot be read" in finding
    assert str(manifest.relative_to(data.root)) in finding


def test_what_killed_runs_left_is_a_note(check: Check, data: DataDirectory):
    (data.root / "staging" / "run_1").mkdir(parents=True)
    (data.root / ".warehouse.duckdb.1234.tmp").touch()
    beside(snapshot_file(data, DAY, COMPANY.id), "tmp").touch()
    beside(next((data.root / "landing").glob("*/*/*/manifest.json")), "tmp").touch()
    said = check(COLUMNS="900")
    assert said.status == 0
    finding = said.about("note", "leftovers")
    assert "staging/run_1" in finding
    assert ".warehouse.duckdb.1234.tmp" in finding
    assert "/.part.parquet." in finding
    assert "/.manifest.json." in finding


def test_the_memory_that_duckdb_may_take_is_told(check: Check, data: DataDirectory):
    assert check(LICENSES_MEMORY="300MB").about("ok", "memory").startswith("ok memory: DuckDB takes up to 300MB; ")
    assert "DuckDB takes up to 400MB, and " in " ".join(check().findings())


def test_more_memory_than_the_machine_has_is_a_note_before_the_kernel_ends_the_run(check: Check, data: DataDirectory):
    said = check(LICENSES_MEMORY="9TB", COLUMNS="400")
    assert said.status == 0
    finding = said.about("note", "memory")
    assert finding.startswith("note memory: DuckDB takes up to 9000.0GB, but there are only ")
    assert finding.endswith("here: the kernel would end a run that takes more. Set LICENSES_MEMORY to less.")


def test_more_memory_than_is_free_is_a_note():
    (found,) = examine_memory(Memory(total=8_000_000_000, free=3_000_000_000))
    assert (found.mark, found.sentence) == (
        Mark.NOTE,
        "DuckDB takes up to 400MB, and 4.0GB where that is not enough, but only 3.0GB are free now: the kernel may end "
        "a run that needs more. Free some, or set LICENSES_MEMORY to less.",
    )


def test_a_setting_of_memory_that_is_no_size_is_a_problem(check: Check, data: DataDirectory):
    said = check(LICENSES_MEMORY="plenty", COLUMNS="400")
    assert said.status == 1
    assert "LICENSES_MEMORY wants a size such as 2GB or 512MiB" in said.about("problem", "settings")


def test_what_others_put_among_our_files_is_a_note(check: Check, data: DataDirectory):
    folder = snapshot_file(data, DAY, COMPANY.id).parent
    shutil.copytree(folder, folder.with_name(f"{folder.name} - Copy"))
    shutil.copytree(folder, folder.with_name("organization_id=another"))
    (folder / "desktop.ini").touch()
    said = check(COLUMNS="900")
    finding = said.about("note", "not ours")
    for stray in ("desktop.ini", " - Copy/part.parquet", "organization_id=another/part.parquet"):
        assert stray in finding
    assert "damaged file" not in said.subjects("problem")


def test_a_copy_of_a_day_under_another_date_is_a_note(check: Check, data: DataDirectory):
    copy = data.snapshots / f"snapshot_date={DAY - timedelta(days=3)}"
    shutil.copytree(data.snapshots / f"snapshot_date={DAY}", copy)
    said = check()
    assert said.status != 1
    assert f"it is a copy of the snapshot of {DAY}" in said.about("note", "copied file")


def test_a_warehouse_that_does_not_show_what_the_files_say_is_stale(check: Check, data: DataDirectory):
    path = usage_file(data.usage, DAY, COMPANY.id)
    os.utime(path, ns=(0, 0))
    said = check()
    assert said.status == 3
    assert "but not, by this version, from what the files say now" in said.about("stale", "warehouse")


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_a_warehouse_that_is_none_is_stale(check: Check, data: DataDirectory, content: bytes):
    data.warehouse.write_bytes(content)
    said = check()
    assert said.status == 3
    assert "cannot be read" in said.about("stale", "warehouse")


def test_a_warehouse_that_was_cut_is_stale(check: Check, data: DataDirectory):
    cut(data.warehouse)
    assert check().status == 3


def test_a_warehouse_of_another_program_is_stale(check: Check, data: DataDirectory):
    data.warehouse.unlink()
    with duckdb.connect(str(data.warehouse)) as connection:
        connection.execute("create table mine as select 1")
    assert "cannot be read" in check().about("stale", "warehouse")


def test_a_warehouse_that_is_missing_beside_snapshots_is_stale(check: Check, data: DataDirectory):
    data.warehouse.unlink()
    said = check()
    assert said.status == 3
    assert "though there are snapshots" in said.about("stale", "warehouse")


WRITER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("create table mine as select 1")
print("writing", flush=True)
sys.stdin.read()
"""


def test_a_warehouse_that_somebody_writes_to_is_told_with_who_it_is(check: Check, data: DataDirectory):
    command = [sys.executable, "-c", WRITER, str(data.warehouse)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "writing\n"
        said = check()
        writer.kill()
    assert said.status == 0
    assert f"(PID {writer.pid}), which shuts other readers out" in said.text
    assert "warehouse.duckdb.wal lies beside it" in said.text
    left_behind = check()
    assert f"holds snapshots up to {DAY}" in left_behind.about("ok", "warehouse")
    assert "warehouse.duckdb.wal lies beside it" in left_behind.about("note", "warehouse")


def test_a_file_where_the_directory_should_be_is_a_problem(check: Check, tmp_path: Path):
    (tmp_path / "data").write_text("")
    said = check()
    assert said.status == 1
    assert "is a file, not a directory" in said.about("problem", "place")


@pytest.mark.parametrize("locked", ["data", "data/snapshots/license_assignments"])
def test_a_directory_that_cannot_be_written_is_a_problem(
    check: Check, data: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: str
):
    # Not by its mode: to root, as whom tests may run, everything can be written.
    monkeypatch.setattr("os.access", lambda place, *_, **__: place != tmp_path / locked)
    said = check(COLUMNS="400")
    assert said.status == 1
    assert f"{tmp_path / locked} belongs to" in said.about("problem", "place")


def test_a_full_disk_is_a_problem(check: Check, data: DataDirectory, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(preflight, "SPARE_BYTES", 10**18)
    said = check()
    assert said.status == 1
    assert "make room" in said.about("problem", "place")


def test_a_reference_file_with_a_mistake_is_a_problem(check: Check, data: DataDirectory):
    own = data.root / "reference" / "license_types.csv"
    own.parent.mkdir()
    own.write_text("role,license_type,takes_seat\nadmin,Admin,perhaps\n")
    said = check()
    assert said.status == 1
    assert "license_types.csv, line 2: takes_seat must be true or false" in said.about("problem", "reference files")


@pytest.mark.parametrize(("mode", "told"), [(0o644, True), (0o600, False)])
def test_a_file_of_keys_that_others_can_read_is_a_note(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, told: bool
):
    place = tmp_path / ".env"
    place.write_text("# no key in here\n")
    place.chmod(mode)
    monkeypatch.setattr(places, "env_file", lambda: place)
    said = check(COLUMNS="400")
    assert ("chmod 600" in said.text) is told
