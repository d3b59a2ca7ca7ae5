"""Nights that fail: a sentence, an exit status, and everything published before exactly as it was."""

import logging
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from sandbox import serving
from tests.commandline import Finished, Operator
from tests.scripted import DAY, ScriptedApi, api_key, as_app, error, invite, page, person, used, user

NEXT = DAY + timedelta(days=1)


def members(count: int) -> list[dict]:
    return [user(n) for n in range(1, count + 1)]


class Company(Operator):
    api: ScriptedApi

    def mend(self) -> None:
        """Back to the 40 members of the good night, and all endpoints answering."""
        self.api.says.clear()
        self.api.lists["users"] = members(40)
        self.api.lists["api_keys"] = [api_key(1), api_key(2)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Company]:
    """A company with one good night behind it."""
    api = ScriptedApi(
        users=members(40),
        api_keys=[api_key(1), api_key(2)],
        invites=[invite(1)],
        analytics_usage=[used("2026-05-20", actor=person("user_0001"), key="apikey_0002")],
    )
    with serving(as_app(api)) as url:
        made = Company(tmp_path_factory.mktemp("company"), url, home=home)
        made.api = api
        finished = made.night(DAY)
        assert finished.status == 0, finished.err
        yield made


@pytest.fixture
def company(served: Company) -> Iterator[Company]:
    yield served
    served.mend()


def failing(company: Company, day: date = NEXT, *words: str) -> Finished:
    """A night that must fail and must not change anything that is published; nothing heard before is taken over."""
    before = company.published()
    finished = company.night(day, "--again", *words)
    assert finished.status == 1
    assert company.published() == before
    assert "Traceback" not in finished.err
    assert finished.out == ""
    return finished


def test_a_list_that_repeats_its_cursor_fails_and_keeps_yesterday(company: Company):
    company.api.says["users"] = lambda _: page(members(2), has_more=True, last_id="user_0002")
    assert failing(company).err == (
        "licenses: Acme (org_1), 2026-06-02: the list of members contradicts itself: the cursor user_0002 came back a "
        "second time, request id req_7. It was not taken for complete. The snapshot of 2026-06-02 was not written for "
        "this organization; everything published before stands as it was.\n"
    )
    assert company.ask("select count(*), max(snapshot_date) from license_assignments") == [(43, DAY)]


@pytest.mark.slow
def test_with_debug_and_only_then_the_traceback_is_shown(company: Company):
    company.api.says["users"] = lambda _: page([], has_more=True, last_id="x")
    without = company.night(NEXT)
    now = {"LICENSES_NOW": "2026-06-03T02:00:00Z"}
    shown = company("--debug", "snapshot", "--day", str(NEXT), **now)
    assert (without.status, shown.status) == (1, 1)
    assert "the cursor x came back a second time" in shown.err.splitlines()[0]
    assert "ListFailed" in shown.err
    assert 'File "' in shown.err
    assert 'File "' not in without.err


def test_a_refused_key_is_told_with_the_advice_of_readme(company: Company):
    company.api.says["me"] = lambda _: error(401, "invalid x-api-key")
    told = failing(company).err
    assert "the API refused the key (HTTP 401, authentication_error: invalid x-api-key, request id req_42)" in told
    assert "they start with sk-ant-admin" in told


def test_an_organization_of_which_nothing_can_be_read_fails(company: Company):
    company.api.says["users"] = company.api.says["api_keys"] = lambda _: error(403)
    assert "neither its members nor its API keys can be read with the given key" in failing(company).err


def test_a_server_that_is_not_there_is_told_in_a_sentence(company: Company):
    before = company.published()
    finished = company.night(NEXT, ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    assert (finished.status, company.published()) == (1, before)
    assert finished.err.startswith("licenses: the organization (ANTHROPIC_ADMIN_KEY): GET /v1/organizations/me failed ")
    assert (
        " times within 5 min, at last with: no whole answer from 127.0.0.1: [Errno 111] Connection refused"
        in finished.err
    )


def test_a_broken_reference_file_is_told_with_its_line(company: Company):
    own = company.data / "reference" / "license_types.csv"
    own.parent.mkdir()
    own.write_text("role,license_type,takes_seat\nuser,User,maybe\n")
    try:
        told = failing(company).err
    finally:
        own.unlink()
        own.parent.rmdir()
    assert told == "licenses: license_types.csv, line 2: takes_seat must be true or false, not maybe.\n"


@pytest.mark.slow
def test_far_fewer_holders_are_not_published_until_somebody_accepts_it(company: Company):
    company.api.lists["users"] = members(20)
    told = failing(company).err
    assert "on 2026-06-02 there are 20 members, after 40 in the snapshot of 2026-06-01: 20 gone at once" in told
    assert "run again with --accept-drop" in told
    assert company.night(NEXT, "--again", "--accept-drop").status == 0
    assert company.ask("select count(*) filter (where holder_type = 'user') from license_assignments") == [(20,)]


@pytest.mark.slow
def test_a_warehouse_that_cannot_be_put_in_place_stays_as_it_was_until_the_next_try_shows_the_day_that_is_published(
    company: Company, monkeypatch: pytest.MonkeyPatch
):
    """The disk fills up at the last moment: when the new warehouse is moved into its place."""
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if Path(target).name == "warehouse.duckdb":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    later = NEXT + timedelta(days=1)
    monkeypatch.setattr(Path, "replace", full)
    before = company.published()
    for _ in range(2):  # at a first try and at any later one
        told = company.night(later)
        assert told.status == 3
        assert (
            "(the disk is full: make room on it, or let LICENSES_DATA_DIR name another). The old one stands, and so do "
            "the snapshots." in told.err
        )
        now = company.published()
        changed = {name for name in now if now[name] != before.get(name)}
        assert f"snapshots/license_assignments/snapshot_date={later}/organization_id=org_1/part.parquet" in changed
        assert all(f"={later}/" in name for name in changed), "the warehouse, and what was published before"
    monkeypatch.undo()
    assert company.night(later).status == 0
    assert company.ask("select max(snapshot_date) from license_assignments") == [(later,)]


@pytest.mark.slow
def test_what_is_unknown_is_said_in_the_last_lines_and_is_null_in_the_log(company: Company):
    day = NEXT + timedelta(days=2)
    company.api.says["api_keys"] = lambda _: error(404)
    finished = company.night(day)
    assert finished.status == 3
    assert "API keys: could be read on 2026-06-03, and the key is refused now: HTTP 404" in finished.err
    assert "  Unknown, not zero: API keys (not available to this key)." in finished.out.splitlines()[-3:]
    assert "API keys" not in finished.out.splitlines()[0]
    (log,) = company.ask(f"select users, api_keys, invites from snapshot_log where snapshot_date = '{day}'")
    assert log == (40, None, 1)
    now = "select distinct holder_type, is_observed from license_assignments order by all"
    assert company.ask(now) == [("api_key", False), ("invite", True), ("user", True)]


@pytest.mark.slow
def test_unknown_words_are_said_loudly_and_kept(company: Company):
    day = NEXT + timedelta(days=3)
    company.api.lists["users"] = [*members(40), user(41, role="quantum_admin")]
    company.api.lists["api_keys"] = [api_key(1, status="paused")]
    finished = company.night(day)
    assert finished.status == 0
    assert (
        "  Unmapped, kept as they are: Unmapped (paused), Unmapped (quantum_admin); add them to license_types.csv."
        in finished.out.splitlines()
    )
    assert company.ask(
        "select holder_id, license_type, status from license_assignments where license_type || status like '%Unmapped%'"
        " order by all"
    ) == [
        ("apikey_0001", "API Key", "Unmapped (paused)"),
        ("user_0041", "Unmapped (quantum_admin)", "Active"),
    ]
    assert company.ask(f"select unmapped from snapshot_log where snapshot_date = '{day}'") == [
        (["Unmapped (paused)", "Unmapped (quantum_admin)"],)
    ]


@pytest.mark.slow
def test_somebody_who_reads_keeps_what_they_opened_and_does_not_disturb_the_night(company: Company):
    warehouse = company.data / "warehouse.duckdb"
    with duckdb.connect(str(warehouse), read_only=True) as reader:
        before = reader.sql("select max(snapshot_date) from snapshot_log").fetchall()
        company.api.lists["users"] = members(41)
        assert company.night(NEXT + timedelta(days=4)).status == 0
        assert reader.sql("select max(snapshot_date) from snapshot_log").fetchall() == before
        assert reader.sql("select count(*) from license_assignments").fetchall()
    assert company.ask("select max(snapshot_date) from snapshot_log") == [(NEXT + timedelta(days=4),)]


@pytest.mark.slow
def test_a_warehouse_that_was_changed_unnoticed_is_built_from_the_files_and_the_run_says_so(
    company: Company, monkeypatch: pytest.MonkeyPatch
):
    import dagster as dg

    warehouse = company.data / "warehouse.duckdb"
    before = warehouse.stat()
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update internal.license_stretches set name = 'Mallory'")
    os.utime(warehouse, ns=(before.st_atime_ns, before.st_mtime_ns))
    finished = company.night(NEXT + timedelta(days=7))
    assert (finished.status, finished.err) == (0, "")
    assert company.ask("select count(*) from license_history where name = 'Mallory'") == [(0,)]
    monkeypatch.setenv("DAGSTER_HOME", str(company.data / "dagster"))
    with dg.DagsterInstance.from_config(str(company.data / "dagster")) as instance:
        record = instance.get_latest_materialization_event(dg.AssetKey(["claude_licenses", "warehouse"]))
        assert record is not None
        assert record.asset_materialization is not None
        told = str(record.asset_materialization.metadata["healed"].value)
        warnings = [one.user_message for one in instance.all_logs(record.run_id) if one.level == logging.WARNING]
    assert told in warnings
    assert told.startswith(
        "What the new warehouse took over from the old one does not hold (history gives the snapshots"
    )
    assert "so it was built from all files instead, and all checks hold" in told
