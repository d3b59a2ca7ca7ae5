"""`licenses import`, as somebody with an old export uses it: preview, one run, the warehouse, and every refusal."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from assets.layout import DataDirectory, usage_file
from pipelines.cli import importing
from sandbox import serving
from tests.commandline import Finished, Operator
from tests.scripted import DAY, ScriptedApi, api_key, as_app, user

PAST = date(2026, 5, 10)
NOW = "2026-06-03T09:00:00Z"
EXPORT = (
    "Name;Email;Role;Status;Joined;Seat Tier\n"
    "User 1;User1@acme.example;Admin;Active;2026-02-01;Premium\n"
    "Long Gone;gone@acme.example;Claude Code User;Active;;Standard\n"
)


class Archive(Operator):
    def file(self, content: str = EXPORT, name: str = "members.csv") -> str:
        (self.folder / name).write_text(content, encoding="utf-8-sig")
        return name

    def bring(self, *words: str, file: str = "members.csv", day: date = PAST, **environment: str) -> Finished:
        return self("import", file, "--day", str(day), *words, **{"LICENSES_NOW": NOW} | environment)

    def refused(self, *words: str, file: str = "members.csv", day: date = PAST, **environment: str) -> str:
        """The sentence of a wrong use that left everything as it was."""
        before = self.published(), sorted(self.data.rglob("landing/**/*"))
        finished = self.bring(*words, file=file, day=day, **environment)
        assert finished.status == 2
        assert (self.published(), sorted(self.data.rglob("landing/**/*"))) == before
        return finished.err.removeprefix("licenses: ").rstrip("\n")


def archive_of(folder: Path, home: Path, name: str) -> Iterator[Archive]:
    api = ScriptedApi(users=[user(1), user(2)], api_keys=[api_key(1)])
    with serving(as_app(api)) as url:
        made = Archive(folder / name, url, home=home)
        made.file()
        assert made.night(DAY).status == 0
        yield made


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Archive]:
    """One observed night, and an old export; the tests that follow import it in order."""
    yield from archive_of(tmp_path_factory.mktemp("imports"), home, "archive")


def test_the_day_must_be_over_and_known_to_the_warehouse(archive: Archive):
    assert archive.refused(day=date(2026, 6, 3)) == (
        "2026-06-03 is not over yet (it is 2026-06-03 09:00 UTC), so no file can hold its closing state. Nothing was "
        "written."
    )
    assert "2026-06-04 is not over yet" in archive.refused(day=date(2026, 6, 4))
    assert archive.refused(day=date(2023, 12, 31)) == (
        "2023-12-31 lies before 2024-01-01, the first day of this warehouse (LICENSES_FIRST_DAY). Nothing was written."
    )


def test_the_organization_must_be_a_known_one(archive: Archive):
    assert archive.refused("--organization", "Other") == (
        "No organization Other is known here; there are Acme (org_1)."
    )
    assert archive.refused(LICENSES_DATA_DIR=str(archive.folder / "empty")) == (
        f"No organization is known yet in {archive.folder / 'empty'}, so a file cannot be matched to one. Take a "
        "snapshot first: licenses snapshot."
    )


def test_a_file_with_bad_rows_is_refused_and_nothing_is_written(archive: Archive):
    name = archive.file("Email,Role\na@b.c,Wizard\n,User\n", "bad.csv")
    assert archive.refused(file=name) == (
        "bad.csv was refused for 2 rows, and nothing was written:\n"
        "  row 2: the role “Wizard” is not in license_types.csv; [roles] in a mapping file can say which one it means\n"
        "  row 3: no id and no e-mail address"
    )


def test_a_mapping_file_that_is_not_there_is_refused(archive: Archive):
    assert archive.refused("--map", "none.toml").startswith(
        "none.toml cannot be used: [Errno 2] No such file or directory: 'none.toml'. It may hold the tables [columns]"
    )


def test_a_person_who_says_no_imports_nothing(archive: Archive, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "_somebody_watches", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda question: question != "Import it as the snapshot of 2026-05-10?")
    before = archive.published()
    finished = archive.bring()
    assert (finished.status, finished.out.splitlines()[-1]) == (1, "Nothing was imported.")
    assert archive.published() == before


def test_an_old_export_is_shown_and_becomes_the_days_snapshot(archive: Archive):
    finished = archive.bring("--reason", "found in the archive")
    assert (finished.status, finished.err) == (0, "")
    lines = finished.out.splitlines()
    assert lines[:-2] == [
        "members.csv: CSV with semicolons, 2 rows.",
        "  email       from “Email”",
        "  name        from “Name”",
        "  role        from “Role”",
        "  status      from “Status”",
        "  assigned_at from “Joined”",
        "  ignored: Seat Tier",
        "  1 row by an e-mail address that one id bears in the snapshots",
        "  1 row by no id that is known: the e-mail address itself is the identity (email:…)",
        "As it would be stored for Acme (org_1), 2026-05-10: 2 members; API keys and pending invites unknown, not in "
        "the file.",
        "  row 2: user user_0001 | Admin | Active | User 1 | User1@acme.example | 2026-02-01 00:00 | –",
        "  row 3: user email:gone@acme.example | Claude Code User | Active | Long Gone | gone@acme.example | – | –",
        "Imported: Acme (org_1), 2026-05-10: 2 members; API keys and pending invites unknown, not in the file.",
    ]
    assert lines[-2].startswith("Kept: ")
    assert lines[-1].startswith(f"Published: {archive.data / 'warehouse.duckdb'} (Dagster run ")
    manifest = json.loads(Path(lines[-2].removeprefix("Kept: ")).with_name("manifest.json").read_text())
    (entry,) = manifest["imports"]
    assert f"(Dagster run {entry['run']})" in lines[-1]
    assert archive.ask(
        "from snapshot_log select provenance, users, api_keys, is_final, run_id order by snapshot_date"
    ) == [
        ("imported", 2, None, True, entry["run"]),
        ("observed", 2, 1, True, archive.ask("select run_id from license_assignments limit 1")[0][0]),
    ]
    assert archive.ask(
        f"""select holder_id, role, provenance from license_snapshots where snapshot_date = '{PAST}' order by all"""
    ) == [("email:gone@acme.example", "claude_code_user", "imported"), ("user_0001", "admin", "imported")]


@pytest.mark.slow
def test_the_same_file_again_changes_nothing(archive: Archive):
    before = {place: content for place, content in archive.published().items() if place.startswith("snapshots")}
    finished = archive.bring("--yes")
    assert (finished.status, finished.err) == (0, "")
    assert "Unchanged: the snapshot of 2026-05-10 says this already, word for word." in finished.out.splitlines()
    assert {place: content for place, content in archive.published().items() if place.startswith("snapshots")} == before


def test_what_was_observed_is_replaced_only_when_asked_to(archive: Archive):
    assert archive.refused(day=DAY) == (
        "Acme (org_1) has a snapshot of 2026-06-01 already (observed, 2026-06-02 02:00 UTC), and a file is the weakest "
        "source. Nothing was imported; --replace replaces it, and keeps what it was."
    )


@pytest.mark.slow
def test_a_mapping_file_lets_any_export_in_and_what_it_replaces_is_kept(archive: Archive):
    name = archive.file("Mail address,Seat\nuser2@acme.example,Org Admin\n", "other.csv")
    (archive.folder / "mapping.toml").write_text(
        '[columns]\nemail = "Mail address"\nrole = "Seat"\n[roles]\n"Org Admin" = "admin"\n'
        '[values]\nstatus = "Active"\n'
    )
    finished = archive.bring("--map", "mapping.toml", "--organization", "Acme", "--replace", file=name, day=DAY)
    assert (finished.status, finished.err) == (0, "")
    assert "  status is “Active” in every row" in finished.out.splitlines()
    assert "  row 2: user user_0002 | Admin | Active | – | user2@acme.example | – | –" in finished.out.splitlines()
    assert archive.ask(f"select provenance, users from snapshot_log where snapshot_date = '{DAY}'") == [("imported", 1)]
    assert len(list((archive.data / "superseded").rglob("*.parquet"))) == 1


@pytest.mark.slow
def test_nothing_is_replaced_by_what_is_older_than_it(tmp_path: Path, home: Path):
    for archive in archive_of(tmp_path, home, "behind"):
        assert archive.bring().status == 0
        before = archive.published()
        archive.file(EXPORT.replace("Admin", "User"), "later.csv")
        behind = archive.bring("--replace", file="later.csv", LICENSES_NOW="2026-06-02T12:00:00Z")
        assert behind.status == 1
        assert (
            f"The snapshot of {PAST} for Acme (org_1) that is to be replaced was loaded at 2026-06-03 09:00:00 UTC, "
            "but the clock stands at 2026-06-02 12:00:00 UTC: it is behind." in behind.err
        )
        assert archive.published() == before
        assert archive.ask("select count(*) from restatements") == [(0,)]


@pytest.mark.slow
def test_a_damaged_file_of_another_day_is_told_and_the_import_stands(archive: Archive):
    damaged = usage_file(DataDirectory(archive.data).usage, DAY, "org_1")
    damaged.write_bytes(damaged.read_bytes()[:-20])
    told = archive.bring("--yes", day=date(2026, 5, 11))
    assert told.status == 3
    assert str(damaged) in told.err
    assert "Imported: Acme (org_1), 2026-05-11" in told.out


def test_several_organizations_must_be_told_apart(archive: Archive):
    other = shutil.copytree(archive.data / "landing" / "org_1", archive.data / "landing" / "org_2")
    for manifest in other.rglob("manifest.json"):
        manifest.write_text(manifest.read_text().replace("org_1", "org_2"))
    assert archive.refused() == (
        "Which organization is it for? Say --organization with one of: Acme (org_1), organization (org_2)."
    )
