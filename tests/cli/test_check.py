"""`licenses check`: what the doctor says, in good and in bad situations, over real HTTP; and that it only reads."""

import shutil
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._daemon.types import DaemonHeartbeat
from dagster_shared.error import SerializableErrorInfo
from typer.testing import CliRunner

from assets.assignments.snapshot import FACTS_KEY, read_facts
from assets.layout import DataDirectory, snapshot_file
from pipelines.cli.app import app
from pipelines.cli.doctor import asking, folder
from pipelines.sandbox import Clock, Fault, FaultPlan, Options, Organization, UsageGeneration, create_app, serving
from tests.scripted import FEED, ScriptedApi, as_app, error, invite, user

NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
DAY = NOW.date() - timedelta(days=1)
KEY = "sk-ant-admin01-never-to-be-shown"
COMPANY = Organization(members=20)


@dataclass(frozen=True)
class Said:
    """What a check printed, in one line, and how it ended."""

    text: str
    lines: list[str]
    status: int

    def about(self, mark: str, subject: str) -> str:
        """The one finding that has this mark and subject."""
        found = [text for text in self._findings() if text.startswith(f"{mark} {subject}: ")]
        assert len(found) == 1, f"{mark} {subject} in {self.text}"
        return found[0]

    def subjects(self, mark: str) -> list[str]:
        return [text.removeprefix(f"{mark} ").partition(":")[0] for text in self._findings() if text.startswith(mark)]

    def _findings(self) -> list[str]:
        found: list[str] = []
        for line in self.lines:
            if line.startswith(" " * 11) and found:
                found[-1] += f" {line.strip()}"
            elif line.startswith("  "):
                found.append(" ".join(line.split()))
        return found


def serve(**options: Any) -> Any:
    return serving(create_app(COMPANY, clock=Clock(NOW).now, options=Options(**options)))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve() as url:
        yield url


@pytest.fixture(scope="module")
def night(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which `licenses snapshot` has just run."""
    root = tmp_path_factory.mktemp("night") / "data"
    environment = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_ADMIN_KEY": KEY,
        "LICENSES_DATA_DIR": str(root),
        "LICENSES_NOW": NOW.isoformat(),
    }
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
        patch.setenv("DAGSTER_HOME", "")  # the command sets it, and this takes it back
        taken = CliRunner().invoke(app, ["snapshot"], env=environment)
    assert taken.exit_code == 0, taken.output
    return root


@pytest.fixture
def data(night: Path, tmp_path: Path) -> DataDirectory:
    """The test's own copy of that directory."""
    return DataDirectory(shutil.copytree(night, tmp_path / "data"))


@pytest.fixture
def check(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Runs the command in an environment, and makes sure that no key was told and no file touched."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(**environment: str | None) -> Said:
        given = {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_ADMIN_KEY": KEY,
            "LICENSES_DATA_DIR": str(tmp_path / "data"),
            "LICENSES_NOW": NOW.isoformat(),
        }
        given |= environment
        before = traces(tmp_path)
        result = CliRunner().invoke(app, ["check"], env=given)
        assert traces(tmp_path) == before
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        for name in given:
            if name.endswith("KEY") and (key := given[name]):
                assert key not in result.output
        return Said(" ".join(result.output.split()), result.output.splitlines(), result.exit_code)

    return run


def traces(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every path with its time of change, which tells even of files that came and went, and its contents."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in root.rglob("*")
    } | {".": (root.stat().st_mtime_ns, b"")}


Check = Callable[..., Said]


def test_a_healthy_organization_has_no_problem(check: Check, data: DataDirectory):
    said = check()
    assert said.status == 0
    assert said.subjects("problem") == []
    assert f"Sandbox & Söhne Ltd ({COMPANY.id})" in said.lines
    assert "found in ANTHROPIC_ADMIN_KEY (an Admin key)" in said.about("ok", "key")
    for answered in ("members", "API keys", "workspaces", "usage by actor and key"):
        assert said.about("ok", answered) == f"ok {answered}: answered."
    assert said.about("ok", "Activity Feed") == "ok Activity Feed: answered."
    assert "(HTTP 404, request id req_" in said.about("ok", "message usage")
    assert "Instead serves: usage by actor and key." in said.about("ok", "Claude Code usage")
    assert f"closing snapshot of {DAY}" in said.about("ok", "last snapshot")
    assert said.about("ok", "gaps") == "ok gaps: none in the last 30 days of Sandbox & Söhne Ltd."
    assert f"holds snapshots up to {DAY}" in said.about("ok", "warehouse")
    assert "A snapshot can be taken now" in said.text


def test_it_reads_at_80_columns(check: Check, data: DataDirectory):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-admin01-members")
    assert all(len(line) <= 80 for line in said.lines if str(data.root) not in line)


def test_a_missing_key_names_its_variable_and_where_to_get_one(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY=None)
    assert said.status == 1
    assert "ANTHROPIC_ADMIN_KEY is not set" in said.about("problem", "key")
    assert "Console (Settings, Admin keys)" in said.about("problem", "key")


def test_what_is_no_key_is_not_sent_anywhere(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="hunter2", ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    assert said.status == 1
    assert "is no Anthropic key" in said.about("problem", "key")
    assert "Nothing was asked" in said.about("problem", "key")


def test_a_key_with_a_line_break_in_it_names_its_variable(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-admin01-two\nlines")
    assert said.status == 1
    assert "in ANTHROPIC_ADMIN_KEY, holds a line break" in said.about("problem", "key")


def test_401_says_to_check_that_it_is_an_admin_key(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-api03-regular")
    assert said.status == 1
    assert "no Admin key of the Console" in said.about("ok", "key")
    finding = said.about("problem", "organization")
    assert "HTTP 401" in finding
    assert "request id req_" in finding
    assert "Check that it is an Admin key (they start with sk-ant-admin), not a regular API key" in finding


def test_403_says_that_the_organization_admin_permission_may_lack(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-admin01-forbidden")
    assert said.status == 1
    finding = said.about("problem", "organization")
    assert "HTTP 403" in finding
    assert "request id req_" in finding
    assert "only organization admins can create Admin keys" in finding


def test_keys_that_may_not_be_listed_are_unknown_and_no_obstacle(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-admin01-members")
    assert said.status == 0
    finding = said.about("note", "API keys")
    assert "Listing API keys needs the admin permission, and some keys may belong to a workspace" in finding
    assert "unknown, not zero" in finding
    assert "ask your organization admin" in said.about("note", "permission")
    assert "when licenses were last used is unknown, not never" in said.about("note", "last use")


def test_members_that_may_not_be_listed_are_unknown_and_no_obstacle(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-admin01-keys")
    assert said.status == 0
    assert "the members are unknown, not zero" in said.about("note", "members")
    assert said.about("ok", "API keys") == "ok API keys: answered."


def test_an_enterprise_key_reaches_members_and_analytics(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-api01-x-enterprise")
    assert said.status == 0
    assert "keys of Claude Enterprise look like this" in said.about("ok", "key")
    assert "give an Admin key of it (sk-ant-admin) as well" in said.about("note", "API keys")
    assert said.about("ok", "Enterprise analytics") == "ok Enterprise analytics: answered."
    assert "Instead serves: Enterprise analytics." in said.about("ok", "usage by actor and key")


def test_an_organization_of_the_older_generation_is_told_what_serves_instead(check: Check):
    with serve(usage=UsageGeneration.REPORTS, feed=False) as older:
        said = check(ANTHROPIC_BASE_URL=older)
    assert said.status == 0
    newer = said.about("ok", "usage by actor and key")
    assert "This organization has not got it. Instead serves: message usage, Claude Code usage." in newer
    assert said.about("ok", "message usage") == "ok message usage: answered."
    feed = said.about("note", "Activity Feed")
    assert "HTTP 404" in feed
    assert "Compliance API is switched off" in feed


def test_half_a_generation_of_usage_does_not_suffice(check: Check):
    api = ScriptedApi(users=[user(1)], messages_usage=[])
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.about("ok", "message usage") == "ok message usage: answered."
    assert "Instead serves: message usage." in said.about("note", "Claude Code usage")


def test_a_name_from_elsewhere_prints_as_plain_text(check: Check):
    api = ScriptedApi(users=[user(1)])
    api.me["name"] = "Acme [bold]\x1b[2J\nLtd"
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert "Acme [bold] [2J Ltd (org_1)" in said.lines


def test_pending_invitations_are_named_since_those_people_are_no_members_yet(check: Check):
    invites = [invite(number) for number in range(12)] + [invite(99, status="accepted")]
    with serving(as_app(ScriptedApi(users=[user(1)], invites=invites))) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    finding = said.about("ok", "invites")
    assert "12 pending: guest0@acme.example, guest1@acme.example" in finding
    assert "and 2 more" in finding
    assert "guest99" not in finding
    assert "People appear among the members only once they have accepted" in finding


def test_empty_lists_are_explained(check: Check):
    with serving(as_app(ScriptedApi())) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert "only once they have accepted their invitation" in said.about("note", "members")
    assert "some keys may belong to a workspace" in said.about("note", "API keys")


def test_an_organization_of_which_nothing_can_be_read_is_a_problem(check: Check):
    api = ScriptedApi()
    api.says = {name: lambda _: error(403) for name in ("users", "api_keys")}
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.status == 1
    assert "neither the members nor the API keys can be read" in said.about("problem", "access")


def test_a_list_that_fails_is_a_problem_and_the_rest_is_still_told(check: Check):
    api = ScriptedApi(users=[user(1)])
    api.says = {"invites": lambda _: error(400, f"no such thing, {KEY}")}
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.status == 1
    finding = said.about("problem", "invites")
    assert "HTTP 400" in finding
    assert "request id req_42" in finding
    assert "report this with the request id" in finding
    assert "A snapshot taken now would fail likewise." in finding
    assert said.about("ok", "members") == "ok members: answered."


def test_an_organization_without_workspaces_lacks_their_names_and_nothing_else(check: Check):
    api = ScriptedApi(users=[user(1)])
    api.says = {"workspaces": lambda _: error(400, "organization_type_not_supported")}
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.status == 0
    assert "the keys' workspaces have no names" in said.about("note", "workspaces")


@pytest.mark.parametrize(
    ("name", "refused", "subject"),
    [
        ("workspaces", "include_default", "workspaces"),
        (FEED, "organization_ids[]", "Activity Feed"),
        ("analytics/usage", "organization_id", "usage by actor and key"),
    ],
)
def test_what_a_server_may_refuse_of_a_question_is_no_obstacle(check: Check, name: str, refused: str, subject: str):
    api = ScriptedApi(users=[user(1)], activities=[], analytics_usage=[])
    api.says = {
        name: lambda request: (
            error(400, f"{refused}: unknown")
            if refused in request.url.params or refused in request.url.params.get_list("group_by[]")
            else api.answer(request)
        )
    }
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.about("ok", subject) == f"ok {subject}: answered."


def test_a_report_that_is_too_recent_has_answered_all_the_same(check: Check):
    api = ScriptedApi(users=[user(1)])
    api.says = {"analytics/users": lambda _: error(400, "The latest available day is 2026-11-10.")}
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.about("ok", "Enterprise analytics") == "ok Enterprise analytics: answered."


def test_a_server_that_is_down_is_a_sentence(check: Check):
    with serve() as gone:
        pass
    said = check(ANTHROPIC_BASE_URL=gone)
    assert said.status == 1
    finding = said.about("problem", "organization")
    assert "Connection refused" in finding
    assert "Check the network and ANTHROPIC_BASE_URL" in finding


def test_an_overloaded_server_is_a_sentence(check: Check):
    with serve(fault_plan=FaultPlan(every=1, faults=(Fault.OVERLOADED,))) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.status == 1
    finding = said.about("problem", "organization")
    assert "HTTP 529" in finding
    assert "request id req_" in finding


def test_a_minute_that_the_server_asks_for_is_not_waited(check: Check):
    api = ScriptedApi()
    api.says = {"me": lambda _: error(429, retry_after="60")}
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert "failed once" in said.about("problem", "organization")
    assert len(api.asked) == 1


def test_a_server_that_never_answers_is_given_up(check: Check, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asking, "TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.0)
    with serve(latency_seconds=60) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.status == 1
    assert "time-out" in said.about("problem", "organization")


def organizations(tmp_path: Path, **key_envs: str) -> str:
    file = tmp_path / "organizations.toml"
    file.write_text("".join(f'[[organization]]\nname = "{n}"\nkey_env = "{v}"\n' for n, v in key_envs.items()))
    return str(file)


def test_one_organizations_trouble_does_not_stop_the_others(check: Check, data: DataDirectory, tmp_path: Path):
    file = organizations(tmp_path, lost="LOST_KEY", whole="WHOLE_KEY", refused="REFUSED_KEY")
    said = check(LICENSES_ORGANIZATIONS=file, LOST_KEY=None, WHOLE_KEY=KEY, REFUSED_KEY="sk-ant-api03-regular")
    assert said.status == 1
    assert {"Lost", "Refused"} <= set(said.lines)
    assert "LOST_KEY is not set" in said.about("problem", "key")
    assert "HTTP 401" in said.about("problem", "organization")
    assert said.about("ok", "members") == "ok members: answered."
    assert f"closing snapshot of {DAY}" in said.about("ok", "last snapshot")


def test_keys_that_complete_each_other_make_one_organization(check: Check, tmp_path: Path):
    file = organizations(tmp_path, people="PEOPLE_KEY", robots="ROBOTS_KEY")
    said = check(LICENSES_ORGANIZATIONS=file, PEOPLE_KEY="sk-ant-admin01-members", ROBOTS_KEY="sk-ant-admin01-keys")
    assert said.status == 0
    assert said.text.count(f"({COMPANY.id})") == 1
    assert "found in PEOPLE_KEY" in said.text
    assert "found in ROBOTS_KEY" in said.text
    assert said.about("ok", "members") == "ok members: answered."
    assert said.about("ok", "API keys") == "ok API keys: answered."


def test_two_keys_that_read_the_same_list_are_a_problem(check: Check, tmp_path: Path):
    file = organizations(tmp_path, one="ONE_KEY", two="TWO_KEY")
    said = check(LICENSES_ORGANIZATIONS=file, ONE_KEY=KEY, TWO_KEY=f"{KEY}-2")
    assert said.status == 1
    assert "ONE_KEY and TWO_KEY are keys of the same organization" in said.about("problem", "keys")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"ANTHROPIC_BASE_URL": "http://api.example.com"}, "ANTHROPIC_BASE_URL must begin with https://"),
        ({"LICENSES_DROP_PERCENT": "many"}, "LICENSES_DROP_PERCENT cannot be used"),
        ({"LICENSES_ORGANIZATIONS": "nowhere.toml"}, "nowhere.toml cannot be used"),
        ({"LICENSES_FIRST_DAY": "2027-01-01"}, "the first day of this warehouse (LICENSES_FIRST_DAY)"),
    ],
)
def test_a_setting_that_cannot_be_used_is_a_sentence(check: Check, environment: dict[str, str], sentence: str):
    said = check(**environment)
    assert said.status == 1
    assert sentence in said.text


def test_a_directory_that_is_not_there_is_made_by_the_first_snapshot_and_not_by_a_check(check: Check, tmp_path: Path):
    said = check()
    assert said.status == 0
    assert "is not there yet; the first snapshot makes it" in said.about("note", "place")
    assert list(tmp_path.iterdir()) == []


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
    monkeypatch.setattr(folder.os, "access", lambda place, _: place != tmp_path / locked)
    said = check()
    assert said.status == 1
    finding = said.about("problem", "place")
    assert f"{tmp_path / locked} cannot be written by this user" in finding
    assert "chown -R" in finding


def test_a_full_disk_is_a_problem(check: Check, data: DataDirectory, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(folder, "SPARE_BYTES", 10**18)
    said = check()
    assert said.status == 1
    assert "make room" in said.about("problem", "space")


def test_a_reference_file_with_a_mistake_is_a_problem(check: Check, data: DataDirectory):
    own = data.root / "reference" / "license_types.csv"
    own.parent.mkdir()
    own.write_text("role,license_type,takes_seat\nadmin,Admin,perhaps\n")
    said = check()
    assert said.status == 1
    assert "license_types.csv, line 2: takes_seat must be true or false" in said.about("problem", "license types")


def test_a_day_that_is_due_and_missing_can_still_be_taken(check: Check, data: DataDirectory):
    said = check(LICENSES_NOW="2026-11-25T03:30:00Z")
    assert said.status == 0
    assert said.about("note", "stale") == (
        "note stale: Sandbox & Söhne Ltd: 2026-11-24 was due and is not there. It can be taken until 2026-11-26 "
        "00:00 UTC: licenses snapshot"
    )
    assert "none in the last 30 days" in said.about("ok", "gaps")


def test_nothing_is_stale_before_the_nightly_run_had_its_time(check: Check, data: DataDirectory):
    said = check(LICENSES_NOW="2026-11-25T02:59:00Z")
    assert "stale" not in said.subjects("note")


def test_days_that_nothing_can_observe_any_more_are_gaps(check: Check, data: DataDirectory):
    older = snapshot_file(data, DAY - timedelta(days=5), COMPANY.id)
    older.parent.mkdir(parents=True)
    shutil.copy(snapshot_file(data, DAY, COMPANY.id), older)
    said = check(LICENSES_NOW="2026-11-28T04:00:00Z")
    assert "2026-11-27 was due" in said.about("note", "stale")
    assert "7 of the last 30 days (2026-11-19 to 2026-11-22, 2026-11-24 to 2026-11-26)" in said.about("note", "gaps")


def retell(data: DataDirectory, **facts: Any) -> None:
    """Make the snapshot say something else about itself."""
    path = snapshot_file(data, DAY, COMPANY.id)
    told = read_facts(path)
    assert told is not None
    metadata = {FACTS_KEY: msgspec.json.encode(msgspec.structs.replace(told, **facts))}
    pq.write_table(pq.ParquetFile(path).read().replace_schema_metadata(metadata), path)


def test_a_provisional_snapshot_of_a_day_that_is_over_is_told(check: Check, data: DataDirectory):
    retell(data, is_final=False, observed_at=NOW - timedelta(hours=5))
    said = check()
    assert f"provisional snapshot of {DAY}" in said.about("ok", "last snapshot")
    finding = said.about("note", "provisional")
    assert f"{DAY} is over, and its closing snapshot was not taken. It can be taken until" in finding


def test_what_the_last_snapshot_could_not_know_is_told(check: Check, data: DataDirectory):
    retell(data, api_keys=None)
    assert "Unknown, not zero: API keys" in check().about("note", "last snapshot")


def test_an_organization_that_no_key_belongs_to_is_not_called_stale(check: Check, data: DataDirectory):
    with serving(as_app(ScriptedApi(users=[user(1)]))) as url:
        said = check(ANTHROPIC_BASE_URL=url, LICENSES_NOW="2026-11-28T04:00:00Z")
    assert f"its snapshots end with {DAY}" in said.about("note", "not watched")
    assert "none yet of Acme (org_1)" in said.about("note", "snapshots")
    assert "stale" not in said.subjects("note")


def test_a_snapshot_that_cannot_be_read_is_a_problem(check: Check, data: DataDirectory):
    path = snapshot_file(data, DAY, COMPANY.id)
    path.write_bytes(b"PAR1 and then the disk was full")
    said = check()
    assert said.status == 1
    finding = said.about("problem", "snapshots")
    assert str(path) in finding
    assert "backup" in finding


def test_a_warehouse_without_the_last_snapshot_is_told(check: Check, data: DataDirectory):
    with duckdb.connect(str(data.warehouse)) as connection:
        connection.execute("update snapshot_log set snapshot_date = snapshot_date - 1")
    assert f"but there are snapshots up to {DAY}" in check().about("note", "warehouse")


def test_a_warehouse_that_is_none_is_told(check: Check, data: DataDirectory):
    data.warehouse.write_bytes(b"no database" * 1000)
    said = check()
    assert said.status == 0
    assert "The next snapshot replaces it." in said.about("note", "warehouse")


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


def test_without_a_daemon_ever_the_check_says_how_to_start_one(check: Check, data: DataDirectory):
    said = check()
    assert "has never run here" in said.about("note", "daemon")
    assert "licenses ui" in said.about("note", "daemon")
    assert f"for {DAY}" in said.about("ok", "last run")
    assert "success" in said.about("ok", "last run")


def beat(instance: dg.DagsterInstance, ago: timedelta = timedelta()) -> None:
    at = datetime.now(UTC) - ago
    instance.add_daemon_heartbeat(DaemonHeartbeat(at.timestamp(), "SCHEDULER", "daemon", []))


def switch(instance: dg.DagsterInstance, status: InstigatorStatus, tick: TickStatus | None = None) -> None:
    """Put the schedule's state and last tick where the daemon and the UI put them."""
    location = GrpcServerCodeLocationOrigin("localhost", port=1, location_name="license-history")
    repository = RemoteRepositoryOrigin(location, "__repository__")
    origin = RemoteInstigatorOrigin(repository, "nightly_at_two")
    state = InstigatorState(origin, InstigatorType.SCHEDULE, status, ScheduleInstigatorData("0 2 * * *"))
    instance.add_instigator_state(state)
    if tick:
        how = {"run_ids": ["run_1"]} if tick is TickStatus.SUCCESS else {"error": SerializableErrorInfo("no", [], None)}
        kind, selector = InstigatorType.SCHEDULE, state.selector_id
        at = NOW.timestamp()
        instance.create_tick(
            TickData(origin.get_id(), "nightly_at_two", kind, tick, at, selector_id=selector, **how)  # type: ignore[arg-type]
        )


@pytest.fixture
def instance(data: DataDirectory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(data.dagster_home)) as instance:
        yield instance


def test_a_daemon_that_beats_and_a_schedule_that_is_on_are_alive(check: Check, instance: dg.DagsterInstance):
    beat(instance)
    switch(instance, InstigatorStatus.DECLARED_IN_CODE, TickStatus.SUCCESS)
    said = check()
    assert "is running (last sign of life" in said.about("ok", "daemon")
    assert "nightly_at_two is on" in said.about("ok", "schedule")
    assert f"Its last tick: {NOW:%Y-%m-%d %H:%M} UTC, success." in said.about("ok", "schedule")


def test_a_daemon_that_fell_silent_is_told(check: Check, instance: dg.DagsterInstance):
    beat(instance, ago=timedelta(hours=2))
    finding = check().about("note", "daemon")
    assert "is not running" in finding
    assert "Start it with: licenses ui" in finding


def test_a_schedule_that_is_switched_off_is_told(check: Check, instance: dg.DagsterInstance):
    beat(instance)
    switch(instance, InstigatorStatus.STOPPED)
    assert "is switched off: switch it on in Dagster's UI" in check().about("note", "schedule")


def test_a_tick_that_failed_is_told(check: Check, instance: dg.DagsterInstance):
    beat(instance)
    switch(instance, InstigatorStatus.RUNNING, TickStatus.FAILURE)
    assert "is on, but failed" in check().about("note", "schedule")


@pytest.mark.parametrize(
    ("status", "sentence"), [("FAILURE", "Dagster's UI has its log"), ("STARTED", "or was killed")]
)
def test_a_last_run_that_did_not_succeed_is_told(check: Check, data: DataDirectory, status: str, sentence: str):
    with closing(sqlite3.connect(data.dagster_home / "history" / "runs.db")) as runs, runs:
        runs.execute("update runs set status = ?", [status])
    assert sentence in check().about("note", "last run")


def test_what_a_living_daemon_has_not_yet_moved_into_its_database_is_read_too(check: Check, data: DataDirectory):
    runs = data.dagster_home / "history" / "runs.db"
    with closing(sqlite3.connect(runs)) as daemon:
        moment = str(datetime.now(UTC).replace(tzinfo=None))
        daemon.execute("insert into daemon_heartbeats (daemon_type, timestamp) values ('SCHEDULER', ?)", [moment])
        daemon.commit()
        assert runs.with_name("runs.db-wal").stat().st_size > 0
        assert "is running" in check().about("ok", "daemon")


def test_a_dagster_home_that_cannot_be_read_is_a_sentence(check: Check, data: DataDirectory):
    (data.dagster_home / "history" / "runs.db").write_bytes(b"no database" * 1000)
    said = check()
    assert said.status == 0
    assert "cannot be read" in said.about("note", "daemon")
