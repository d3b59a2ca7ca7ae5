"""Import: a file that somebody kept becomes a day, or is refused with its rows and reasons; nothing is made up."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlwt

from assets.errors import WrongUse
from assets.files.publishing import discard, publishing
from assets.layout import SNAPSHOTS, snapshot_file
from assets.snapshots.ending import Derived, Loading
from assets.snapshots.imported.importing import Imported, importing
from assets.snapshots.imported.kept import Kept, digest, keep, read_kept, stage_kept, target_of
from assets.snapshots.imported.mapping import MapFile, map_columns, read_map_file
from assets.snapshots.imported.sheet import read_sheet
from assets.snapshots.restatement import restate
from tests.scripted import DAY, Nights, ScriptedApi, api_key, invite, person, used, user

pytestmark = pytest.mark.slow

Start = Callable[..., Nights]
PAST = date(2026, 5, 10)
NOW = datetime(2026, 6, 3, 9, tzinfo=UTC)
MEMBERS = "Name,Email,Role,Status,Joined\nUser 1,USER1@acme.example,Admin,Active,2026-02-01\n"


class Desk:
    """An operator's desk: files, and an organization whose night of DAY has been observed."""

    def __init__(self, made: Nights, folder: Path) -> None:
        self.made, self.data, self.folder = made, made.data, folder

    def write(self, content: str | bytes, name: str = "members.csv") -> Path:
        place = self.folder / name
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    @contextmanager
    def read(self, file: str | bytes | Path, mapping: str = "", day: date = PAST) -> Iterator[Imported]:
        path = file if isinstance(file, Path) else self.write(file)
        said = read_map_file(self.write(mapping, "mapping.toml")) if mapping else MapFile()
        sheet = read_sheet(path)
        mapped = map_columns(sheet.headers, said, path.name)
        target = target_of(path, "org_1", day, NOW, "run_import")
        with importing(sheet, mapped, target, self.data, path.name) as imported:
            yield imported

    def rows(self, file: str | bytes | Path, mapping: str = "", day: date = PAST) -> list[dict[str, Any]]:
        """The rows as they would be stored, in the file's order."""
        with self.read(file, mapping, day) as imported:
            return imported.first_rows(1000)

    def row(self, file: str | bytes | Path, mapping: str = "", day: date = PAST) -> dict[str, Any]:
        (row,) = self.rows(file, mapping, day)
        return row

    def refusal(self, file: str | bytes | Path, mapping: str = "", day: date = PAST) -> str:
        before = sorted(self.data.root.rglob("*"))
        with pytest.raises(WrongUse) as caught:
            self.rows(file, mapping, day)
        assert sorted(self.data.root.rglob("*")) == before
        return str(caught.value)

    def faults(self, file: str | bytes | Path, mapping: str = "", day: date = PAST) -> list[str]:
        return [line.strip() for line in self.refusal(file, mapping, day).splitlines()[1:]]

    def publish(
        self, file: str | Path, *, run: str = "run_import", replace: bool = False, reason: str | None = None
    ) -> Derived:
        """Keep the file and publish it, as the run does."""
        path = file if isinstance(file, Path) else self.write(file)
        kept = self.keep(path, run, reason)
        staged = self.data.staging(run)
        try:
            loading = Loading(NOW, run, reason)
            derived = stage_kept(kept, self.data, staged, loading, replace=replace)
            restate(self.data, staged)
            with publishing(staged, self.data, (SNAPSHOTS,)):
                return derived
        finally:
            discard(staged)

    def keep(self, path: Path, run: str = "run_import", reason: str | None = None) -> Kept:
        sheet = read_sheet(path)
        target = target_of(path, "org_1", PAST, NOW, run)
        return keep(path, target, map_columns(sheet.headers, MapFile(), path.name), reason, self.data)


@pytest.fixture
def desk(nights: Start, tmp_path: Path) -> Desk:
    """DAY was observed: two members, one of them used on 5 May; a key and an invite."""
    api = ScriptedApi(
        users=[user(1), user(2)],
        api_keys=[api_key(1)],
        invites=[invite(1)],
        analytics_usage=[used("2026-05-05", actor=person("user_0001"))],
    )
    made = nights(api)
    made.night()
    folder = tmp_path / "desk"
    folder.mkdir()
    return Desk(made, folder)


def xlsx(place: Path, rows: list[list[object]], *, first: list[list[object]] | None = None, stray: str = "") -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Members"
    for row in rows:
        sheet.append(row)
    if first is not None:
        hidden = book.create_sheet("Notes", 0)
        hidden.sheet_state = "hidden"
        for row in first:
            hidden.append(row)
        book.create_sheet("Other")
    if stray:
        sheet[stray] = "stray"
    book.save(place)
    return place


# The formats that a spreadsheet writes


@pytest.mark.parametrize(
    "content",
    [
        MEMBERS.encode(),
        MEMBERS.encode("utf-8-sig"),
        MEMBERS.encode("utf-16"),
        MEMBERS.replace(",", ";").encode("utf-8-sig"),
        MEMBERS.replace(",", "\t").encode(),
        ("sep=;\n" + MEMBERS.replace(",", ";")).encode(),
        MEMBERS.replace("\n", "\r\n").encode(),
    ],
    ids=["utf-8", "BOM", "utf-16", "semicolons", "tabs", "Excel's sep line", "carriage returns"],
)
def test_the_consoles_member_export_needs_no_mapping(desk: Desk, content: bytes):
    row = desk.row(content)
    assert (row["holder_type"], row["holder_id"], row["name"]) == ("user", "user_0001", "User 1")
    assert (row["role"], row["license_type"], row["status"]) == ("admin", "Admin", "Active")
    assert row["assigned_at"] == datetime(2026, 2, 1, tzinfo=UTC)
    assert (row["provenance"], row["observed_at"], row["run_id"]) == ("imported", NOW, "run_import")
    assert row["organization_name"] == "Acme"


def test_headers_are_known_in_any_case_with_spaces_or_underscores(desk: Desk):
    row = desk.row(
        " E-MAIL address ,Organization_Role,date added (UTC)\nuser1@acme.example,claude code user,2026-02-01\n"
    )
    assert (row["holder_id"], row["role"], row["license_type"]) == ("user_0001", "claude_code_user", "Claude Code User")
    assert row["assigned_at"] == datetime(2026, 2, 1, tzinfo=UTC)


def test_a_workbooks_first_visible_sheet_is_read_with_its_dates(desk: Desk):
    rows: list[list[object]] = [
        [None],
        ["Email", "Role", "Added"],
        ["user1@acme.example", "Admin", datetime(2026, 2, 1, 8)],
        [None],
        ["x@y.z", "User", None],
    ]
    place = xlsx(desk.folder / "members.xlsx", rows, first=[["Nothing"]])
    assert read_sheet(place).kind == "XLSX, sheet Members, the first of 2 sheets"
    stored = desk.rows(place)
    assert [(row["row_number"], row["holder_id"]) for row in stored] == [(3, "user_0001"), (5, "email:x@y.z")]
    assert stored[0]["assigned_at"] == datetime(2026, 2, 1, 8, tzinfo=UTC)


def test_an_old_xls_workbook_is_read_like_a_new_one(desk: Desk):
    book = xlwt.Workbook()
    hidden = book.add_sheet("Notes")
    hidden.visibility = 1
    hidden.write(0, 0, "Nothing")
    sheet = book.add_sheet("Members")
    for column, header in enumerate(("Email", "Role", "Added", "Name")):
        sheet.write(1, column, header)
    for row, email in ((2, "user1@acme.example"), (4, "x@y.z")):
        sheet.write(row, 0, email)
        sheet.write(row, 1, "Admin")
    sheet.write(2, 2, datetime(2026, 2, 1, 8), xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    sheet.write(2, 3, 4711)
    sheet.write(4, 3, True)
    place = desk.folder / "members.xls"
    book.save(place)
    assert read_sheet(place).kind == "XLS, sheet Members"
    first, second = desk.rows(place)
    assert (first["row_number"], first["holder_id"], first["name"]) == (3, "user_0001", "4711")
    assert first["assigned_at"] == datetime(2026, 2, 1, 8, tzinfo=UTC)
    assert (second["row_number"], second["name"], second["assigned_at"]) == (5, "True", None)


@pytest.mark.parametrize(
    ("serial", "told"),
    [(0.5, "12:00:00"), (0, "00:00:00"), (-1.5, "-1.5"), (10_000_000, "#VALUE!"), (1e30, "#VALUE!")],
)
def test_a_date_cell_that_holds_no_day_is_told_as_what_it_is(desk: Desk, serial: float, told: str):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Members")
    for column, header in enumerate(("Email", "Role", "Added")):
        sheet.write(0, column, header)
    for row, added in ((1, datetime(2026, 2, 1, 8)), (2, serial)):
        sheet.write(row, 0, f"user{row}@acme.example")
        sheet.write(row, 1, "User")
        sheet.write(row, 2, added, xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    place = desk.folder / "members.xls"
    book.save(place)
    (fault,) = desk.faults(place)
    assert fault.startswith("row 3: ")
    assert f"“{told}”" in fault


def test_a_cell_that_shows_an_error_is_no_empty_cell(desk: Desk):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Members")
    for column, header in enumerate(("Email", "Role", "Status")):
        sheet.write(0, column, header)
    sheet.write(1, 0, "a@b.c")
    sheet.write(1, 1, "User")
    sheet.row(1).set_cell_error(2, 0x2A)
    old = desk.folder / "members.xls"
    book.save(old)
    new = xlsx(desk.folder / "members.xlsx", [["Email", "Role", "Status"], ["a@b.c", "User", "#N/A"]])
    for place in (old, new):
        assert desk.faults(place) == [
            "row 2: the status “#N/A” is not known; [statuses] in a mapping file can say what it means"
        ]


def test_a_stray_cell_far_away_refuses_no_workbook(desk: Desk):
    place = xlsx(desk.folder / "members.xlsx", [["Email", "Role"], ["a@b.c", "User"]], stray="XFD20000")
    assert desk.faults(place) == [
        "row 20000: no id and no e-mail address; no role and no license type; more cells than the header's 2"
    ]


def test_our_own_snapshot_comes_back_as_it_was(desk: Desk):
    own = desk.folder / "part.parquet"
    own.write_bytes(desk.made.file().read_bytes())
    desk.made.file().unlink()
    facts = {"provenance", "observed_at", "run_id", "organization_name", "row_number"}
    known = {row["holder_id"]: row for row in pq.read_table(own).to_pylist()}
    for row in desk.rows(own, day=DAY):
        assert {name: value for name, value in row.items() if name not in facts} == {
            name: value for name, value in known[row["holder_id"]].items() if name not in facts
        }
    with desk.read(own, day=DAY) as imported:
        assert (imported.facts.users, imported.facts.api_keys, imported.facts.invites) == (2, 1, 1)


def test_our_own_snapshot_is_refused_for_another_day(desk: Desk):
    own = desk.folder / "part.parquet"
    own.write_bytes(desk.made.file().read_bytes())
    assert desk.refusal(own) == (
        "part.parquet is the snapshot of Acme (org_1) of 2026-06-01; it cannot be imported as that of "
        "org_1 of 2026-05-10."
    )


def test_rows_that_name_another_day_or_organization_are_refused(desk: Desk):
    table = pa.table(
        {
            "snapshot_date": [PAST, DAY],
            "organization_id": ["org_2", "org_1"],
            "holder_id": ["user_0001", "user_0002"],
            "role": ["user", "user"],
        }
    )
    pq.write_table(table, desk.folder / "rows.parquet")
    assert desk.faults(desk.folder / "rows.parquet") == [
        "row 2: it says itself that it is of the organization org_2, not of org_1",
        "row 3: it says itself that it is of 2026-06-01, not of 2026-05-10",
    ]


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        ("", "m.csv", "m.csv is empty."),
        ("\n\n", "m.csv", "m.csv is empty."),
        ("Email,Role\n", "m.csv", "m.csv holds no rows beneath its header: a day without holders cannot be imported."),
        (
            "Email,Name,Role\na@b.c,Jürgen,User\n".encode("cp1252"),
            "m.csv",
            "m.csv is not written in UTF-8 (line 2), so its letters would be guesses: save it in the spreadsheet as "
            "«CSV UTF-8», or as XLSX.",
        ),
        (b"\x00\x01\x02\x03", "m.bin", "m.bin is neither CSV nor XLSX nor XLS nor Parquet."),
        (
            b"\xd0\xcf\x11\xe0rest",
            "m.xls",
            "m.xls cannot be read as an XLS workbook: Unsupported format, or corrupt file: Expected BOF record; found "
            "b'\\xd0\\xcf\\x11\\xe0rest'. Save it as XLSX without a password, or as CSV.",
        ),
        (b"PK\x03\x04rest", "m.xlsx", "m.xlsx cannot be read as an XLSX workbook: File is not a zip file."),
        ('Email,Role\n"a@b.c,User\n', "m.csv", "m.csv cannot be read as CSV with commas: unexpected end of data."),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(desk: Desk, content: str | bytes, name: str, sentence: str):
    assert desk.refusal(desk.write(content, name)) == sentence


@pytest.mark.parametrize(
    ("reader", "kind"), [("openpyxl.load_workbook", "XLSX"), ("xlrd.open_workbook", "XLS")], ids=["xlsx", "xls"]
)
def test_a_reader_that_fails_without_a_word_is_told_by_its_error(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, reader: str, kind: str
):
    def fail(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(reader, fail)
    content = {"XLSX": b"PK\x03\x04rest", "XLS": b"\xd0\xcf\x11\xe0rest"}[kind]
    assert f"m cannot be read as an {kind} workbook: AssertionError." in desk.refusal(desk.write(content, "m"))


def test_broken_parquet_and_missing_files_are_refused_in_a_sentence(desk: Desk):
    assert desk.refusal(desk.write(b"PAR1rest", "m.parquet")).startswith("m.parquet cannot be read as Parquet: ")
    assert desk.refusal(desk.folder / "none.csv") == "none.csv cannot be read: No such file or directory."


# Columns and words


def test_a_mapping_file_names_columns_roles_statuses_and_constants(desk: Desk):
    row = desk.row(
        "Mail,Seat,State\nuser1@acme.example,Org Admin,Deactivated\n",
        '[columns]\nrole = "Seat"\n[roles]\n"Org Admin" = "admin"\n[statuses]\ndeactivated = "Disabled"\n'
        '[values]\nname = "Somebody"\n',
    )
    assert (row["role"], row["status"], row["name"]) == ("admin", "Disabled", "Somebody")


def test_a_constant_goes_before_a_column_and_an_empty_header_drops_it(desk: Desk):
    row = desk.row(
        "ID,Email,Role,Status\n4711,user1@acme.example,Boss,whatever\n",
        '[columns]\nholder_id = ""\n[values]\nrole = "user"\nstatus = "Active"\n',
    )
    assert (row["holder_id"], row["role"], row["status"]) == ("user_0001", "user", "Active")


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (
            '[columns]\nseat = "Role"\n',
            "mapping.toml: there is no column seat to fill; there are holder_id, holder_type",
        ),
        (
            '[columns]\nrole = "Role"\n[values]\nrole = "user"\n',
            "mapping.toml: role stands in [columns] and in [values]; only one of them can fill it.",
        ),
        (
            '[statuses]\ngone = "Left"\n',
            "mapping.toml: “gone” cannot mean the status Left; there are Active, Disabled, Pending.",
        ),
        (
            '[columns]\nrole = "Seat"\n',
            "members.csv has no column “Seat”; there are Name, Email, Role, Status, Joined.",
        ),
        (
            '[roles]\nBoss = "chief"\n',
            "The mapping file: [roles] “Boss” means chief, which is not a role in license_types.csv; there are admin",
        ),
        ("[colums]\n", "mapping.toml cannot be used: Object contains unknown field `colums`"),
        ("columns\n", "mapping.toml cannot be used: "),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused_in_a_sentence(desk: Desk, mapping: str, sentence: str):
    assert desk.refusal(MEMBERS, mapping).startswith(sentence)


def test_two_headers_that_fit_one_column_are_named(desk: Desk):
    content = "Email,Role,Added,Joined\nuser1@acme.example,User,2026-01-01,2026-02-01\n"
    assert desk.refusal(content) == (
        "members.csv: “Added” and “Joined” may both be assigned_at. Say which one in a mapping file: "
        '[columns] assigned_at = "Added" (rename one of them where both are called the same).'
    )
    assert desk.row(content, '[columns]\nassigned_at = "Joined"\n')["assigned_at"] == datetime(2026, 2, 1, tzinfo=UTC)


def test_a_file_without_ids_and_addresses_is_refused(desk: Desk):
    assert desk.refusal("Name,Role\nAda,User\n") == (
        "members.csv: no column looks like an id or an e-mail address; there are Name, Role. Say which one it is in a "
        'mapping file: [columns] email = "…".'
    )


def test_headers_that_feed_nothing_are_ignored_by_name(desk: Desk):
    sheet = read_sheet(desk.write("Email,Role,Seat Tier,Notes,\na@b.c,User,Premium,x,y\n"))
    assert map_columns(sheet.headers, MapFile(), "members.csv").ignored == ["Seat Tier", "Notes"]


@pytest.mark.parametrize("word", ["claude_code_user", "Claude Code User", "CLAUDE-CODE user", "claude_code user "])
def test_a_role_is_known_as_the_api_says_it_and_as_it_is_shown(desk: Desk, word: str):
    for header in ("Role", "License type"):
        row = desk.row(f"Email,{header}\nuser1@acme.example,{word}\n")
        assert (row["role"], row["license_type"]) == ("claude_code_user", "Claude Code User")


def test_a_license_type_of_several_roles_tells_no_role(desk: Desk):
    reference = desk.data.root / "reference"
    reference.mkdir()
    (reference / "license_types.csv").write_text("role,license_type,takes_seat\nowner,Owner,true\nprimary,Owner,true\n")
    row = desk.row("Email,License\nuser1@acme.example,owner \n")
    assert (row["role"], row["license_type"]) == ("owner", "Owner")
    (reference / "license_types.csv").write_text("role,license_type,takes_seat\na,Boss,true\nb,Boss,true\n")
    row = desk.row("Email,License\nuser1@acme.example,boss\n")
    assert (row["role"], row["license_type"]) == (None, "Boss")


def test_a_role_that_the_table_lacked_already_then_is_kept_as_our_snapshot_told_it(desk: Desk):
    row = desk.row("holder_id,role,license_type,status\nuser_0001,wizard,Unmapped (wizard),Active\n")
    assert (row["role"], row["license_type"]) == ("wizard", "Unmapped (wizard)")
    with desk.read("holder_id,role,license_type,status\nuser_0001,wizard,Unmapped (wizard),Active\n") as imported:
        assert imported.facts.unmapped == ["Unmapped (wizard)"]


# Who a row is about


def test_an_id_goes_before_an_address(desk: Desk):
    assert desk.row("ID,Email,Role\nuser_0009,user1@acme.example,User\n")["holder_id"] == "user_0009"


def test_an_address_that_no_snapshot_knows_is_the_identity_itself(desk: Desk):
    row = desk.row("Email,Role\n Gone@Acme.Example ,User\n")
    assert (row["holder_id"], row["email"]) == ("email:gone@acme.example", "Gone@Acme.Example")


def test_an_address_that_several_ids_bore_is_named_and_refuses_the_file(desk: Desk):
    desk.made.api.lists["users"].append(user(7, email="User2@acme.example"))
    desk.made.night(DAY + timedelta(days=1))
    assert desk.faults("Email,Role\nuser1@acme.example,User\nuser2@ACME.example,User\n") == [
        "row 3: user2@ACME.example belongs to several ids in the snapshots (user_0002, user_0007): give the id"
    ]


def test_an_identity_that_an_import_made_up_never_makes_an_address_ambiguous(desk: Desk):
    desk.publish("Email,Role\nlate@acme.example,User\n")
    assert set(desk.made.rows(PAST)) == {"email:late@acme.example"}
    desk.made.api.lists["users"].append(user(7, email="late@acme.example"))
    desk.made.night(DAY + timedelta(days=1))
    assert desk.row("Email,Role\nlate@acme.example,User\n")["holder_id"] == "user_0007"
    assert desk.row("ID,Role\nemail:Late@acme.example,User\n")["holder_id"] == "user_0007"


def test_pending_rows_are_invites_and_rows_of_keys_need_ids(desk: Desk):
    rows = desk.rows(
        "ID,Type,Email,Role,Status,Name\n"
        ",,guest1@acme.example,Developer,Pending,\n"
        ",,new@acme.example,User,Pending,\n"
        "apikey_0001,,,,inactive,Key 1\n"
        "user_0001,Member,,User,,\n"
    )
    assert [(row["holder_type"], row["holder_id"], row["status"], row["status_raw"]) for row in rows] == [
        ("invite", "invite_0001", "Pending", "pending"),
        ("invite", "email:new@acme.example", "Pending", "pending"),
        ("api_key", "apikey_0001", "Disabled", "inactive"),
        ("user", "user_0001", "Active", None),
    ]
    assert (rows[2]["license_type"], rows[2]["owner_status"]) == ("API Key", "unknown")


def test_a_kind_of_holder_that_the_file_lacks_is_unknown_not_zero(desk: Desk):
    with desk.read(MEMBERS) as imported:
        facts = imported.facts
    assert (facts.users, facts.api_keys, facts.invites) == (1, None, None)
    assert (facts.provenance, facts.is_final, facts.left_out) == ("imported", True, 0)


def test_whoever_came_after_the_days_end_is_left_out_and_counted(desk: Desk):
    with desk.read(
        "Email,Role,Added\nuser1@acme.example,User,2026-05-10T23:59:59Z\nuser2@acme.example,User,2026-05-11\n"
    ) as imported:
        assert [row["holder_id"] for row in imported.first_rows(9)] == ["user_0001"]
        assert (imported.facts.left_out, imported.tally.later) == (1, 1)
    assert desk.refusal("Email,Role,Added\nuser1@acme.example,User,2026-05-11\n") == (
        "members.csv: every row was added only after the end of 2026-05-10. Nothing was written."
    )


# Bad rows


def test_every_bad_row_is_told_by_its_number_and_reasons(desk: Desk):
    content = (
        "ID,Type,Email,Role,Status,Added\n"
        ",,,User,Active,\n"
        ",,nobody,User,Active,\n"
        ",,a@b.c,,Active,\n"
        ",,d@e.f,Wizard,Active,\n"
        ",,g@h.i,User,Sleeping,\n"
        ",,j@k.l,User,Active,3/4/2025\n"
        "\n"
        '"user_0001",,,User,Active,\n'
        ",,user1@acme.example,User,Active,\n"
        "4711,,,User,Active,\n"
        "user_0005,api key,,,Active,\n"
        ",key,m@n.o,,Active,\n"
        "apikey_0003,,,,,\n"
        "user_0006,,,User,Pending,\n"
        "invite_0006,,,User,Disabled,\n"
        "user_0007,robot,,User,Active,\n"
        "user_0008,,,User,Active,2026-02-30,one more\n"
    )
    assert desk.refusal(content).startswith("members.csv was refused for 15 rows, and nothing was written:\n")
    certain = "is no certain date or time: write it as 2026-05-31 or 2026-05-31T08:00:00Z"
    assert desk.faults(content) == [
        "row 2: no id and no e-mail address",
        "row 3: “nobody” is no e-mail address",
        "row 4: no role and no license type",
        "row 5: the role “Wizard” is not in license_types.csv; [roles] in a mapping file can say which one it means",
        "row 6: the status “Sleeping” is not known; [statuses] in a mapping file can say what it means",
        f"row 7: assigned_at “3/4/2025” {certain}",
        "row 10: the same holder as row 9 (user_0001)",
        "row 11: the id “4711” is not one of a member (user_…)",
        "row 12: the id “user_0005” is not one of an API key (apikey_…)",
        "row 13: an API key needs its id (apikey_…)",
        "row 14: no status, and an API key may be Active or Disabled",
        "row 15: a member cannot be Pending",
        "row 16: an invite cannot be Disabled",
        "row 17: the holder type “robot” is none of user, api_key and invite",
        f"row 18: assigned_at “2026-02-30” {certain}; more cells than the header's 6",
    ]


def test_a_row_is_numbered_as_the_spreadsheet_shows_it_whatever_breaks_its_lines(desk: Desk):
    content = 'Name,Email,Role\n"Ada\nLovelace",ada@b.c,User\n\nBob,bob@b.c,Wizard\n'
    (fault,) = desk.faults(content)
    assert fault.startswith("row 4: the role “Wizard”")
    assert desk.refusal(content).startswith("members.csv was refused for 1 row, and")


def test_the_first_twenty_bad_rows_are_told_and_how_many_more_there_are(desk: Desk):
    faults = desk.faults("Email,Role\n" + "".join(f"p{n}@b.c,Wizard\n" for n in range(25)))
    assert (len(faults), faults[-1]) == (21, "and 5 more rows")


def test_times_are_read_where_they_mean_one_instant(desk: Desk):
    words = {
        "2026-02-01T08:30:00.5+02:00": datetime(2026, 2, 1, 6, 30, 0, 500000, UTC),
        "2026-02-01 08:30 UTC": datetime(2026, 2, 1, 8, 30, tzinfo=UTC),
        "2026/02/01": datetime(2026, 2, 1, tzinfo=UTC),
        "1.2.2026 08:30": datetime(2026, 2, 1, 8, 30, tzinfo=UTC),
        "February 1, 2026": datetime(2026, 2, 1, tzinfo=UTC),
        "1 Feb 2026": datetime(2026, 2, 1, tzinfo=UTC),
    }
    content = "Email,Role,Joined\n" + "".join(f'p{n}@b.c,User,"{word}"\n' for n, word in enumerate(words))
    assert [row["assigned_at"] for row in desk.rows(content)] == list(words.values())


# Last use


def test_last_use_is_what_the_usage_reports_say_of_the_day(desk: Desk):
    known, unseen = desk.rows("Email,Role\nuser1@acme.example,User\nuser2@acme.example,User\n")
    assert (known["last_used_at"], known["last_used_source"]) == (datetime(2026, 5, 5, tzinfo=UTC), "analytics")
    assert (unseen["last_used_at"], unseen["last_used_state"]) == (None, "never_seen")
    earlier = desk.row("Email,Role\nuser1@acme.example,User\n", day=date(2026, 5, 4))
    assert (earlier["last_used_at"], earlier["last_used_state"]) == (None, "never_seen")


def test_a_later_use_in_the_file_is_taken_as_imported_where_its_instant_is_certain(desk: Desk):
    content = (
        "ID,Role,Last used,Added\n"
        "user_0001,User,2026-05-06T10:00:00Z,\n"
        "user_0002,User,2026-05-06 10:00,\n"
        "user_0003,User,2026-05-11T00:00:00Z,\n"
        "user_0004,User,2026-05-06T10:00:00Z,2026-05-07\n"
    )
    with desk.read(content) as imported:
        rows = imported.first_rows(9)
        assert imported.tally.uses_without_zone == 1
    assert [(row["last_used_source"], row["last_used_state"]) for row in rows] == [
        ("imported", "used"),
        (None, "never_seen"),
        (None, "never_seen"),
        (None, "never_seen"),
    ]
    assert rows[0]["last_used_at"] == datetime(2026, 5, 6, 10, tzinfo=UTC)
    assert rows[0]["last_used_precision"] == "second"


def test_an_earlier_use_in_the_file_gives_way_to_the_reports(desk: Desk):
    row = desk.row("ID,Role,Last used\nuser_0001,User,2026-05-04T10:00:00Z\n")
    assert (row["last_used_at"], row["last_used_source"]) == (datetime(2026, 5, 5, tzinfo=UTC), "analytics")


# Kept, published, replaced


def test_the_file_is_kept_with_its_hash_mapping_run_and_reason(desk: Desk):
    path = desk.write(MEMBERS, "Mitglieder Mai [1].csv")
    desk.publish(path, reason="found in the archive")
    folder = desk.data.root / "landing" / "org_1" / "imports" / f"{PAST}-{digest(path)[:12]}"
    assert (folder / path.name).read_bytes() == MEMBERS.encode()
    manifest = json.loads((folder / "manifest.json").read_text())
    (entry,) = manifest.pop("imports")
    assert manifest == {
        "organization_id": "org_1",
        "day": "2026-05-10",
        "file": path.name,
        "sha256": digest(path),
        "size": len(MEMBERS),
    }
    assert (entry["imported_at"], entry["run"], entry["reason"]) == (
        "2026-06-03T09:00:00Z",
        "run_import",
        "found in the archive",
    )
    assert entry["mapping"]["columns"]["assigned_at"] == "Joined"
    facts = desk.made.facts(PAST)
    assert (facts.observation, facts.reason, facts.loaded_by) == (folder.name, "found in the archive", "run_import")


def test_the_same_file_again_is_the_same_snapshot(desk: Desk):
    desk.publish(MEMBERS)
    before = desk.made.file(PAST).read_bytes()
    assert desk.publish(MEMBERS, run="run_again").unchanged
    assert desk.made.file(PAST).read_bytes() == before
    (folder,) = (desk.data.root / "landing" / "org_1" / "imports").iterdir()
    assert [entry["run"] for entry in json.loads((folder / "manifest.json").read_text())["imports"]] == [
        "run_import",
        "run_again",
    ]


def test_a_file_replaces_an_observed_day_only_when_asked_to_and_what_it_was_is_kept(desk: Desk):
    desk.made.night(PAST)
    observed = desk.made.file(PAST).read_bytes()
    with pytest.raises(WrongUse) as caught:
        desk.publish(MEMBERS)
    assert str(caught.value) == (
        "Acme (org_1) has a snapshot of 2026-05-10 already (observed, 2026-05-11 02:00 UTC), and a file is the weakest "
        "source. Nothing was imported; --replace replaces it, and keeps what it was."
    )
    assert desk.made.file(PAST).read_bytes() == observed
    desk.publish(MEMBERS, replace=True)
    assert desk.made.facts(PAST).provenance == "imported"
    (kept,) = (desk.data.root / "superseded").rglob("*.parquet")
    assert kept.read_bytes() == observed


def test_ids_are_still_seen_in_snapshots_that_were_replaced_but_not_in_files_that_were(desk: Desk):
    desk.publish("ID,Email,Role\nuser_0666,mistake@acme.example,User\n")
    desk.publish("ID,Email,Role\nuser_0005,mistake@acme.example,User\n", replace=True)
    assert desk.row("Email,Role\nmistake@acme.example,User\n")["holder_id"] == "user_0005"
    desk.made.api.lists["users"] = [user(3)]
    desk.made.night()
    assert set(desk.made.rows(DAY)) >= {"user_0003"}
    assert desk.row(MEMBERS)["holder_id"] == "user_0001"


def test_another_file_replaces_an_imported_day_only_when_asked_to(desk: Desk):
    desk.publish(MEMBERS)
    other = MEMBERS.replace("Admin", "User")
    with pytest.raises(WrongUse, match="imported from another file, 2026-06-03 09:00 UTC"):
        desk.publish(other)
    desk.publish(other, replace=True)
    assert desk.made.rows(PAST)["user_0001"]["role"] == "user"
    assert desk.publish(other.replace("User 1", " User 1 ")).unchanged


def test_a_kept_file_that_was_changed_or_that_is_none_is_refused(desk: Desk):
    kept = desk.keep(desk.write(MEMBERS))
    assert read_kept(desk.data, kept.place).manifest == kept.manifest
    kept.file.write_text("changed")
    with pytest.raises(WrongUse, match="is not the file that was imported \\(its sha256 differs\\): nothing was done"):
        read_kept(desk.data, kept.place)
    for place in ("org_1/none", "nothing", "", "../org_1/x"):
        with pytest.raises(WrongUse, match=f"No imported file {place} is kept here"):
            read_kept(desk.data, place)


def test_a_file_that_changes_before_it_is_kept_is_refused(desk: Desk):
    path = desk.write(MEMBERS)
    target = target_of(path, "org_1", PAST, NOW, "run_import")
    desk.write(MEMBERS + "\n")
    with pytest.raises(WrongUse, match="has changed since it was read: nothing was imported"):
        keep(path, target, map_columns(["Email"], MapFile(), path.name), None, desk.data)
    assert not snapshot_file(desk.data, PAST, "org_1").exists()
