"""Where data and `.env` lie does not depend on where somebody stands; and any path will do."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from assets.layout import DataDirectory
from pipelines import settings
from pipelines.installation import places
from pipelines.installation.instance import instance, prepare_home
from sandbox import serving
from tests.commandline import Operator, environment_restored, licenses
from tests.scripted import DAY, ScriptedApi, api_key, as_app, user

pytestmark = pytest.mark.slow

Load = Callable[..., settings.Settings]
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a `.env` that would send the key to another host."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / ".env").write_text("ANTHROPIC_BASE_URL=https://collector.example.com\nLICENSES_DATA_DIR=/stolen\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def load() -> Load:
    def loaded(**environment: str) -> settings.Settings:
        with environment_restored():
            for name in [name for name in os.environ if name.startswith("XDG_")]:
                del os.environ[name]
            os.environ.update(environment)
            return settings.load()

    return loaded


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("home", ["/", "/nonexistent", ""])
def test_a_checkouts_data_and_settings_are_its_own_wherever_it_is_called(
    load: Load, tmp_path: Path, home: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(places, "CHECKOUT", tmp_path / "checkout")
    loaded = load(HOME=home)
    assert loaded.data.root == tmp_path / "checkout" / "data"
    assert loaded.anthropic_base_url == "https://api.anthropic.com"


def test_this_very_checkout_is_found_without_home_or_current_folder(elsewhere: Path):
    imports = "from pipelines import settings; from pipelines.installation import places"
    code = f"{imports}; print(places.env_file()); print(settings.load().data.root)"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=elsewhere, env={}, capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == [str(PROJECT / ".env"), str(PROJECT / "data")]


@pytest.mark.usefixtures("elsewhere")
def test_as_a_package_they_are_where_xdg_says(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(places, "CHECKOUT", None)
    home, config = tmp_path / "home", tmp_path / "config"
    assert load(HOME=str(home)).data.root == home / ".local/share/license-history"
    assert load(HOME=str(home), XDG_DATA_HOME="relative/is/invalid").data.root == home / ".local/share/license-history"
    (config / "license-history").mkdir(parents=True)
    (config / "license-history" / ".env").write_text("LICENSES_DROP_HOLDERS=7\n")
    loaded = load(HOME=str(home), XDG_DATA_HOME=str(tmp_path / "share"), XDG_CONFIG_HOME=str(config))
    assert (loaded.data.root, loaded.licenses_drop_holders) == (tmp_path / "share" / "license-history", 7)


@pytest.mark.usefixtures("elsewhere")
def test_a_relative_path_in_the_settings_begins_beside_the_env_file(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(places, "CHECKOUT", tmp_path)
    (tmp_path / ".env").write_text("LICENSES_DATA_DIR=records\nLICENSES_ORGANIZATIONS=o.toml\n")
    (tmp_path / "o.toml").write_text("[[organization]]\nname = 'Berlin'\nkey_env = 'B'\n")
    assert load().data.root == tmp_path / "records"
    assert load().key_envs == {"Berlin": "B"}
    assert load(LICENSES_DATA_DIR="others").data.root == tmp_path / "others"
    monkeypatch.setenv("HOME", "/home/somebody")
    assert load(LICENSES_DATA_DIR="~/at-home").data.root == Path("/home/somebody/at-home")


def test_what_is_typed_is_relative_to_where_it_is_typed(tmp_path: Path, elsewhere: Path):
    told = licenses("--data-dir", "here", "sql", "select 1", environment={}, folder=tmp_path, called_in=elsewhere)
    assert f"There is no warehouse yet in {elsewhere / 'here'}" in told.err


def test_a_record_is_not_begun_in_silence(tmp_path: Path, home: Path):
    with serving(as_app(ScriptedApi(users=[user(1)], api_keys=[api_key(1)]))) as url:
        operator = Operator(tmp_path, url, home=home)
        first, second = operator.night(DAY), operator.night(DAY, "--again")
    assert first.out.splitlines()[0] == f"A new record is begun in {operator.data}."
    assert "A new record" not in second.out
    assert (first.status, second.status) == (0, 0)


@pytest.mark.parametrize(
    "name",
    ["licenses [prod]", "all*", 'it\'s 100% #1; a=b, {c} $HOME & "more"', "organization_id=org_9", "Zoë 日本"],
)
def test_any_path_holds_a_record(tmp_path: Path, name: str):
    with serving(as_app(ScriptedApi(users=[user(1), user(2)], api_keys=[api_key(1)]))) as url:
        operator = Operator(tmp_path / name, url, XDG_CACHE_HOME=str(tmp_path / "cache"))
        night = operator.night(DAY)
        asked = operator("sql", "select organization_id, count(*) from license_snapshots group by 1", "--format", "csv")
        again = operator.night(DAY)
    assert (night.status, night.err) == (0, "")
    assert asked.out.splitlines()[1:] == ['"org_1",3']
    assert "done already" in again.out
    with environment_restored():
        os.environ["XDG_CACHE_HOME"] = str(tmp_path / "cache")
        with instance(DataDirectory(operator.data)) as opened:
            assert opened.telemetry_enabled is False, "Dagster found its settings"
            assert opened.run_monitoring_enabled
            assert [run.status for run in opened.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
    assert (operator.data / "dagster" / "history" / "runs.db").exists()


def test_a_link_to_a_path_with_brackets_is_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    homes = tmp_path / "cache" / "license-history" / "links"
    with environment_restored():
        link = prepare_home(DataDirectory(tmp_path / "[a]"))
        assert (link.parent, link.readlink()) == (homes, tmp_path / "[a]" / "dagster")
        assert prepare_home(DataDirectory(tmp_path / "[a]")) == link
        link.unlink()
        link.symlink_to("/somewhere/else")
        assert prepare_home(DataDirectory(tmp_path / "[a]")).readlink() == tmp_path / "[a]" / "dagster"
        homes.chmod(0o777)
        assert prepare_home(DataDirectory(tmp_path / "[a]")).parent != homes, "others could put their link there"
