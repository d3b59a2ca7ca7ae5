"""`licenses snapshot` called again: done is done, what is missing is asked for, a status means the same each time."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from assets.layout import SNAPSHOTS, DataDirectory, files_of_day
from assets.warehouse.publish import publish
from pipelines.installation.instance import instance
from pipelines.running import ENDED
from sandbox import serving
from tests.commandline import Operator, environment_restored
from tests.scripted import DAY, ScriptedApi, api_key, as_app, error, invite, user

NEXT = DAY + timedelta(days=1)
PROGRAM = "from pipelines.cli import main; main()"


@pytest.fixture
def api() -> ScriptedApi:
    return ScriptedApi(users=[user(1), user(2)], api_keys=[api_key(1)], invites=[invite(1)])


@pytest.fixture
def operator(api: ScriptedApi, tmp_path: Path, home: Path) -> Iterator[Operator]:
    with serving(as_app(api)) as url:
        yield Operator(tmp_path, url, home=home)


def asked(api: ScriptedApi) -> list[str]:
    return [request.url.path.removeprefix("/v1/organizations/") for request in api.asked]


@pytest.mark.slow
def test_a_day_that_is_done_is_told_and_nothing_is_asked(operator: Operator, api: ScriptedApi):
    assert operator.night(DAY).status == 0
    api.asked.clear()
    before = operator.published()
    again = operator.night(DAY)
    assert (again.status, again.err, api.asked) == (0, "", [])
    assert again.out == "Acme (org_1), 2026-06-01: done already, observed 2026-06-02 02:00 UTC (--again asks anew).\n"
    assert operator.published() == before


@pytest.mark.slow
def test_a_done_day_that_the_warehouse_does_not_show_is_put_into_it(operator: Operator, api: ScriptedApi):
    operator.night(DAY)
    (operator.data / "warehouse.duckdb").unlink()
    api.asked.clear()
    again = operator.night(DAY)
    assert (again.status, api.asked) == (0, [])
    assert again.out.startswith("The warehouse did not show what the files say: it was built again.\n")
    assert operator.ask("select count(*) from license_snapshots") == [(4,)]


@pytest.mark.slow
def test_again_asks_anew(operator: Operator, api: ScriptedApi):
    operator.night(DAY)
    api.asked.clear()
    api.lists["users"].append(user(3, name="Late"))
    assert operator.night(DAY, "--again").status == 0
    assert "users" in asked(api)
    assert operator.ask("select count(*) from license_snapshots") == [(5,)]


@pytest.mark.slow
def test_a_whole_day_that_was_taken_again_in_part_is_not_done(operator: Operator, api: ScriptedApi):
    assert operator.night(DAY).status == 0
    api.says["invites"] = lambda _: error(500)
    assert operator.at(datetime(2026, 6, 2, 10, tzinfo=UTC), DAY, "--again").status == 3
    api.says.clear()
    healed = operator.at(datetime(2026, 6, 2, 11, tzinfo=UTC), DAY)
    assert (healed.status, healed.err) == (0, "")
    assert operator.ask("select users, invites from snapshot_log") == [(2, 1)]
    assert "done already" in operator.at(datetime(2026, 6, 2, 12, tzinfo=UTC), DAY).out


@pytest.mark.slow
def test_what_could_not_be_read_as_sent_is_told_each_time(operator: Operator, api: ScriptedApi):
    api.lists["users"].append(user(3, added_at="not a date"))
    first, second = operator.night(DAY), operator.night(DAY)
    assert (first.status, second.status) == (3, 3)
    assert "done already" in second.out
    assert second.err == first.err
    assert "user_0003" in second.err


@pytest.mark.slow
def test_a_day_is_done_whichever_of_two_keys_reads_it(api: ScriptedApi, tmp_path: Path, home: Path):
    """The second key may read nothing that the first does not."""
    bare = ScriptedApi()
    bare.says |= dict.fromkeys(("users", "api_keys"), lambda _: error(403))

    def by_key(request: httpx.Request) -> httpx.Response:
        return (bare if request.headers["x-api-key"].endswith("-2") else api)(request)

    (tmp_path / "o.toml").write_text(
        "[[organization]]\nname = 'A'\nkey_env = 'A_KEY'\n[[organization]]\nname = 'B'\nkey_env = 'B_KEY'\n"
    )
    keys: dict[str, Any] = {"A_KEY": "sk-ant-admin01-1", "B_KEY": "sk-ant-admin01-2"}
    with serving(as_app(by_key)) as url:
        operator = Operator(tmp_path, url, home=home, LICENSES_ORGANIZATIONS="o.toml", **keys)
        assert operator.night(DAY).status == 0
        assert "done already" in operator.night(DAY).out


@pytest.mark.slow
def test_what_was_not_read_is_told_asked_for_again_and_then_done(operator: Operator, api: ScriptedApi):
    api.says["invites"] = lambda _: error(500)
    first = operator.night(DAY)
    assert first.status == 3
    assert "invites" in first.err
    assert "Unknown, not zero: invites (not read tonight)." in first.out
    retried = operator.night(DAY)
    assert retried.status == 3
    del api.says["invites"]
    api.asked.clear()
    healed = operator.night(DAY)
    assert (healed.status, healed.err) == (0, "")
    assert "invites" in asked(api)
    assert "users" not in asked(api), "what was fetched is not fetched again"
    assert "done already" in operator.night(DAY).out


@pytest.mark.slow
def test_a_first_try_and_a_retry_that_bring_nothing_end_alike(operator: Operator, api: ScriptedApi):
    api.says["users"] = api.says["api_keys"] = lambda _: error(500)
    for _ in range(2):
        failed = operator.night(DAY)
        assert failed.status == 1
        assert failed.out.splitlines()[1:] == []


@pytest.mark.slow
def test_a_retry_of_one_organization_ends_as_a_first_try_of_both(api: ScriptedApi, tmp_path: Path, home: Path):
    """One is there since the first try; the other goes on failing: the day stands in part, whoever wrote it."""
    other = ScriptedApi(users=[user(7)], api_keys=[api_key(7)])
    other.me = {"id": "org_2", "type": "organization", "name": "Borealis"}
    other.says["users"] = lambda _: error(500)

    def both(request: httpx.Request) -> httpx.Response:
        return (other if request.headers["x-api-key"].endswith("-2") else api)(request)

    (tmp_path / "o.toml").write_text(
        "[[organization]]\nname = 'A'\nkey_env = 'A_KEY'\n[[organization]]\nname = 'B'\nkey_env = 'B_KEY'\n"
    )
    with serving(as_app(both)) as url:
        operator = Operator(
            tmp_path,
            url,
            home=home,
            LICENSES_ORGANIZATIONS="o.toml",
            A_KEY="sk-ant-admin01-1",
            B_KEY="sk-ant-admin01-2",
        )
        first, second = operator.night(DAY), operator.night(DAY)
        assert (first.status, second.status) == (3, 3)
        assert "Borealis" in second.err
        del other.says["users"]
        api.asked.clear()
        third = operator.night(DAY)
        assert (third.status, third.err) == (0, "")
        assert set(asked(api)) <= {"me"}, "the organization that is done is not asked for its lists"
        assert operator.night(DAY).out.count("done already") == 2


@pytest.mark.slow
def test_today_is_always_taken_anew(operator: Operator, api: ScriptedApi):
    noon = datetime(2026, 6, 2, 12, tzinfo=UTC)
    assert operator.at(noon, NEXT).status == 0
    api.lists["users"].append(user(3))
    later = operator.at(noon + timedelta(hours=1), NEXT)
    assert "3 members" in later.out
    assert "provisional" in later.out


@pytest.mark.slow
def test_three_first_runs_at_once_all_end_well(api: ScriptedApi, tmp_path: Path):
    with serving(as_app(api)) as url:
        runs = [start(tmp_path, url) for _ in range(3)]
        told = [(run.communicate()[0], run.returncode) for run in runs]
    assert [status for _, status in told] == [0, 0, 0], told
    assert sum("done already" in text for text, _ in told) == 2, "the others waited, and found the day done"
    assert asked(api).count("users") == 1


@pytest.mark.slow
@pytest.mark.parametrize("next_command", ["snapshot", "backfill"])
def test_a_run_that_was_killed_is_ended_by_whoever_comes_next(api: ScriptedApi, tmp_path: Path, next_command: str):
    with serving(as_app(api)) as url:
        operator = Operator(tmp_path, url)
        run: subprocess.Popen[str] | None = None

        def kill(request: httpx.Request) -> httpx.Response:
            assert run is not None
            run.kill()
            return api.answer(request)

        if next_command == "backfill":
            assert operator.night(DAY - timedelta(days=1)).status == 0
        api.says["users"] = kill
        run = start(tmp_path, url)
        run.communicate()
        assert run.returncode == -9
        del api.says["users"]
        with opened(operator) as found:
            (dead,) = (one.run_id for one in found.get_runs() if one.status is dg.DagsterRunStatus.STARTED)
        if next_command == "snapshot":
            assert operator.night(DAY).status == 0
        else:
            day = str(DAY - timedelta(days=1))
            operator("backfill", "--from", day, "--to", day, "--source", "replay", LICENSES_NOW="2026-06-02T02:00:00Z")
        with opened(operator) as found:
            run_of_the_dead = found.get_run_by_id(dead)
            assert run_of_the_dead is not None
            assert run_of_the_dead.status is dg.DagsterRunStatus.FAILURE
            assert any(ENDED in entry.message for entry in found.all_logs(dead))
        assert list((operator.data / "dagster" / "running").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("database", ["history/runs.db", "history/runs/index.db", "schedules/schedules.db"])
def test_a_night_is_worth_more_than_its_log(operator: Operator, database: str):
    """Dagster's own files are damaged: the day is taken all the same, and they are told of."""
    (operator.data / "dagster" / database).write_bytes(b"no database at all" * 100)
    night = operator.night(DAY)
    assert (night.status, night.err.count("\n")) == (3, 1)
    assert f"if they are damaged, move {operator.data / 'dagster'} aside." in night.err
    assert "closing snapshot of 2026-06-01: 2 members" in night.out
    assert operator.ask("select count(*) from license_snapshots") == [(4,)]


@pytest.mark.slow
def test_a_log_that_fails_after_all_is_published_leaves_a_day_that_stands(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
):
    def then_the_log_breaks(*given: Any, **named: Any) -> Any:
        made = publish(*given, **named)
        for database in (operator.data / "dagster" / "history" / "runs").glob("*.db*"):
            database.write_bytes(b"no database at all" * 300)
        return made

    monkeypatch.setattr("assets.warehouse.assets.publish", then_the_log_breaks)
    night = operator.night(DAY)
    assert (night.status, "Traceback" in night.err) == (3, False)
    assert night.err.splitlines()[-1].startswith("licenses: Dagster's own files in ")
    assert operator.ask("select users, invites from snapshot_log") == [(2, 1)]


@pytest.mark.parametrize("written", [b"telemetry:\n  enabld: false\n", b"\xff\xfe\x00"])
def test_dagsters_settings_that_cannot_be_meant_are_a_sentence(operator: Operator, written: bytes):
    (operator.data / "dagster" / "dagster.yaml").write_bytes(written)
    refused = operator.night(DAY)
    assert (refused.status, "Traceback" in refused.err) == (1, False)
    assert f"{operator.data / 'dagster' / 'dagster.yaml'} cannot be used" in refused.err


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_cannot_show_a_name_shows_it_escaped(api: ScriptedApi, tmp_path: Path, encoding: str):
    api.me["name"] = "Škoda 日本"
    with serving(as_app(api)) as url:
        run = start(tmp_path, url, PYTHONIOENCODING=encoding, LANG="C", PYTHONUTF8="0")
        told = run.communicate()[0]
    assert run.returncode == 0, told
    assert r"\u65e5\u672c (org_1), closing snapshot" in told


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path):
    command = f"{sys.executable} -c '{PROGRAM}' --help | true; exit ${{PIPESTATUS[0]}}"
    told = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in told.stderr
    assert "Exception ignored" not in told.stderr


@pytest.mark.slow
@pytest.mark.parametrize("errors_too", [False, True], ids=["standard output", "both streams"])
@pytest.mark.parametrize("full", [True, False], ids=["full disk", "nobody reads"])
def test_a_night_does_not_depend_on_whether_anybody_can_be_told_of_it(
    api: ScriptedApi, tmp_path: Path, full: bool, errors_too: bool
):
    with serving(as_app(api)) as url, nowhere_to_write(full) as stream:
        run = start(tmp_path, url, stdout=stream, stderr=stream if errors_too else subprocess.PIPE)
        told = run.communicate()[1] or ""
    assert run.returncode == 0, told
    assert told == (
        "licenses: what there was to say could not be written (No space left on device).\n"
        if full and not errors_too
        else ""
    )
    published = DataDirectory(tmp_path / "data")
    assert [file.day for file in files_of_day(SNAPSHOTS, DAY, published)] == [DAY]
    assert published.warehouse.exists()


@pytest.mark.slow
@pytest.mark.parametrize("command", [["sql", "--list"], ["check"], ["--help"]], ids=" ".join)
def test_what_is_called_for_its_output_fails_without_it(operator: Operator, command: list[str]):
    assert operator.night(DAY).status == 0
    with nowhere_to_write(full=True) as stream:
        run = start(operator.folder, "http://127.0.0.1:9", *command, stdout=stream, stderr=subprocess.PIPE)
        told = run.communicate()[1]
    assert run.returncode == 1
    assert told.startswith("licenses: the system refused it: No space left on device.")


@contextmanager
def nowhere_to_write(full: bool) -> Iterator[int]:
    """A stream on a full disk, or one that nobody reads."""
    if full:
        stream = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, stream = os.pipe()
        os.close(reader)
    try:
        yield stream
    finally:
        os.close(stream)


def start(folder: Path, url: str, *command: str, **changes: Any) -> "subprocess.Popen[str]":
    """A command (the snapshot of DAY in its night) as a process of its own, with other streams or settings."""
    usual: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    streams = {name: changes.pop(name, stream) for name, stream in usual.items()}
    settings = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_ADMIN_KEY": "sk-ant-admin01-scripted",
        "LICENSES_DATA_DIR": str(folder / "data"),
        "LICENSES_NOW": "2026-06-02T02:00:00Z",
    }
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *(command or ("snapshot", "--day", str(DAY)))],
        env={**os.environ, **settings, **changes},
        text=True,
        **streams,
    )


@contextmanager
def opened(operator: Operator) -> Iterator[dg.DagsterInstance]:
    """The operator's instance, for a look."""
    with environment_restored(), instance(DataDirectory(operator.data)) as found:
        yield found


@pytest.mark.slow
def test_a_damaged_old_file_is_named_whether_or_not_the_day_is_done(operator: Operator):
    assert operator.night(DAY).status == 0
    (old,) = (operator.data / "snapshots").rglob("part.parquet")
    old.write_bytes(old.read_bytes()[:100])
    for _ in range(2):
        told = operator.night(DAY + timedelta(days=1))
        assert told.status == 3
        assert f"licenses: {old}" in told.err
        assert f"--from {DAY} --to {DAY} --replace --source replay makes it anew" in told.err
    assert "done already" in told.out
