"""The command line uses the DAGSTER_HOME that is set, and never for pretend data."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from assets.layout import DataDirectory
from pipelines.installation.instance import dagster_home, instance, prepare_home
from sandbox import serving
from tests.cli.conftest import Said
from tests.commandline import Operator
from tests.dagster.conftest import new_home
from tests.scripted import DAY, ScriptedApi, api_key, as_app, error, user

pytestmark = pytest.mark.slow

SQLITE_ELSEWHERE = "storage: {{sqlite: {{base_dir: {}}}}}\n"
"""As any storage that is not the home's own files, it is asked through Dagster."""


@pytest.fixture(scope="module")
def url():
    with serving(as_app(ScriptedApi(users=[user(1)], api_keys=[api_key(1)]))) as url:
        yield url


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """The home of an instance that somebody keeps."""
    return new_home(tmp_path / "theirs")


@pytest.fixture
def operator(tmp_path: Path, url: str) -> Operator:
    return Operator(tmp_path / "ours", url)


def runs_of(home: Path) -> list[tuple[str, str]]:
    with dg.DagsterInstance.from_config(str(home)) as opened:
        return [(run.job_name, run.status.value) for run in opened.get_runs()]


def test_a_night_goes_to_the_instance_that_is_set(operator: Operator, theirs: Path):
    night = operator.night(DAY, DAGSTER_HOME=str(theirs))
    assert (night.status, night.err) == (0, "")
    assert runs_of(theirs) == [("claude_licenses_nightly", "SUCCESS")]
    assert (theirs / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n", "nothing is written into theirs"
    assert not (operator.data / "dagster" / "dagster.yaml").exists(), "no second instance is begun"
    assert not (operator.data / "dagster" / "history").exists()


def test_the_env_files_counts_too_and_an_empty_variable_does_not_hide_it(operator: Operator, theirs: Path):
    (operator.folder / ".env").write_text(f"DAGSTER_HOME={theirs}\n")
    assert operator.night(DAY, DAGSTER_HOME="").status == 0
    assert len(runs_of(theirs)) == 1


@pytest.mark.parametrize("storage", ["", SQLITE_ELSEWHERE], ids=["its own files", "elsewhere"])
def test_the_check_tells_of_that_instance(operator: Operator, theirs: Path, tmp_path: Path, storage: str):
    (theirs / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\n{storage.format(tmp_path / 'kept')}")
    assert operator.night(DAY, DAGSTER_HOME=str(theirs)).status == 0
    with dg.DagsterInstance.from_config(str(theirs)) as opened:
        beat = DaemonHeartbeat(datetime.now(UTC).timestamp(), "SCHEDULER", "daemon", [])
        opened.add_daemon_heartbeat(beat)
    said = Said(operator("check", DAGSTER_HOME=str(theirs), LICENSES_NOW=f"{DAY.replace(day=DAY.day + 1)}T03:00:00Z"))
    assert f"DAGSTER_HOME names {theirs}" in said.about("ok", "instance")
    assert "is running" in said.about("ok", "daemon")
    assert "was never switched on" in said.about("note", "schedule")
    assert f"for {DAY}" in said.about("ok", "last nightly run")
    assert not (operator.data / "dagster" / "dagster.yaml").exists()


def test_a_failed_night_is_told_from_there_with_its_sentence(tmp_path: Path, theirs: Path):
    (theirs / "dagster.yaml").write_text(SQLITE_ELSEWHERE.format(tmp_path / "kept"))
    api = ScriptedApi(users=[user(1)])
    api.says["users"] = lambda _: error(400, "not tonight")
    with serving(as_app(api)) as url:
        operator = Operator(tmp_path / "ours", url)
        assert operator.night(DAY, DAGSTER_HOME=str(theirs)).status == 1
        said = Said(operator("check", DAGSTER_HOME=str(theirs), LICENSES_NOW="2026-06-02T03:00:00Z"))
    assert "not tonight" in said.about("stale", "last nightly run")


def test_others_runs_in_a_shared_instance_are_not_told_as_ours(operator: Operator, theirs: Path):
    @dg.job(name="their_job")
    def theirs_only() -> None: ...

    @dg.job(name="claude_licenses_backfill")
    def ours() -> None: ...

    with dg.DagsterInstance.from_config(str(theirs)) as opened:
        for job in (theirs_only, ours):
            opened.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    said = Said(operator("check", DAGSTER_HOME=str(theirs)))
    assert "claude_licenses_backfill" in said.about("note", "run under way")


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("relative/home", "DAGSTER_HOME must be an absolute path, not relative/home"),
        ("/nowhere/at/all", "DAGSTER_HOME names /nowhere/at/all, where no directory is"),
    ],
)
def test_a_home_that_cannot_be_meant_is_one_sentence(operator: Operator, named: str, sentence: str):
    told = operator.night(DAY, DAGSTER_HOME=named)
    assert told.status == 2
    assert sentence in told.err
    assert "Traceback" not in told.err
    assert sentence in Said(operator("check", DAGSTER_HOME=named)).about("problem", "Dagster")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("telemetri: off\n", "dagster.yaml, which DAGSTER_HOME names, cannot be used"),
        ("storage: [\n", "dagster.yaml, which DAGSTER_HOME names, cannot be used"),
        (
            "run_storage: {module: dagster_postgres_of_nobody, class: A, config: {}}\n",
            "PostgreSQL wants the extra postgres (docs/dagster.md)",
        ),
    ],
)
def test_a_dagster_yaml_that_cannot_be_used_is_one_sentence(
    operator: Operator, theirs: Path, settings: str, sentence: str
):
    (theirs / "dagster.yaml").write_text(settings)
    told = operator.night(DAY, DAGSTER_HOME=str(theirs))
    assert told.status != 0
    assert sentence in told.err
    assert "Traceback" not in told.err
    assert sentence in Said(operator("check", DAGSTER_HOME=str(theirs))).about("problem", "Dagster")


def test_where_its_database_fails_the_night_is_taken_all_the_same(operator: Operator, theirs: Path, tmp_path: Path):
    (tmp_path / "kept").write_text("no directory")
    (theirs / "dagster.yaml").write_text(SQLITE_ELSEWHERE.format(tmp_path / "kept"))
    told = operator.night(DAY, DAGSTER_HOME=str(theirs))
    assert f"Dagster's instance of DAGSTER_HOME ({theirs}) cannot be used" in told.err
    assert told.status == 3
    assert operator.ask("select count(*) from license_snapshots") == [(2,)]


def test_each_data_directory_keeps_its_own_home_unless_one_is_set(
    tmp_path: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch
):
    first, second = DataDirectory(tmp_path / "first"), DataDirectory(tmp_path / "second")
    assert [prepare_home(one) for one in (first, second)] == [first.dagster_home, second.dagster_home]
    monkeypatch.setenv("DAGSTER_HOME", str(theirs))
    assert [prepare_home(one) for one in (first, second)] == [theirs, theirs]
    monkeypatch.setenv("DAGSTER_HOME", str(first.dagster_home))
    assert dagster_home(first).ours


def test_pretend_data_never_meets_it(tmp_path: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAGSTER_HOME", str(theirs))
    data = DataDirectory(tmp_path / "sandbox")
    with instance(data, pretend=True) as opened:
        assert opened.get_runs() == []
    assert [place.name for place in theirs.iterdir()] == ["dagster.yaml"]
    assert (data.dagster_home / "dagster.yaml").exists()
