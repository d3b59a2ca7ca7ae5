"""Wherever Dagster's commands are started, and however they are told where the definitions are: one data directory."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assets.errors import WrongUse
from pipelines.installation import foreign_env
from tests.dagster.conftest import Command, environment, program

pytestmark = pytest.mark.slow

RESOURCES = """{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    ... on RepositoryLocation { repositories { allTopLevelResourceDetails { description } } }
    ... on PythonError { message causes { message } }
} } } } }"""

Ask = Callable[..., str]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with somebody else's `assets` in it, which are not ours."""
    folder = tmp_path / "elsewhere"
    (folder / "assets").mkdir(parents=True)
    (folder / "assets" / "__init__.py").write_text("")
    (folder / "assets" / "resources.py").write_text("mine = 1\n")
    return folder


@pytest.fixture
def ask(command: Command, elsewhere: Path) -> Ask:
    """What the one code location says of its resources, or why it does not load; asked from elsewhere."""

    def asked(*target: object, **settings: str) -> str:
        finished = command("dagster-graphql", *target, "-t", RESOURCES, folder=elsewhere, **settings)
        (answer,) = [line for line in finished.stdout.splitlines() if line.startswith('{"data"')]
        (entry,) = json.loads(answer)["data"]["workspaceOrError"]["locationEntries"]
        return json.dumps(entry["locationOrLoadError"])

    return asked


@pytest.mark.parametrize(
    "target",
    [("-w", "{}/workspace.yaml"), ("--python-file", "{}/pipelines/definitions.py"), ("-m", "pipelines.definitions")],
    ids=lambda target: target[0],
)
def test_workspace_file_and_module_have_the_installations_data_and_env(
    ask: Ask, checkout: Path, target: tuple[str, str]
):
    """The module is looked for on Python's path, where an installation stands."""
    way, place = target
    assert f"The data directory {checkout / 'records'}, " in ask(way, place.format(checkout), PYTHONPATH=str(checkout))


@contextmanager
def code_server(folder: Path, socket: Path, **settings: str) -> Iterator[None]:
    """`dagster code-server start`, once it says that it has started."""
    words = [program("dagster"), "code-server", "start", "-m", "pipelines.definitions", "-s", socket]
    with subprocess.Popen(
        [*map(str, words)],
        cwd=folder,
        env=environment(**settings),
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout
            assert any("Started Dagster code" in line for line in server.stdout)
            yield
        finally:
            server.terminate()
            try:
                server.communicate(timeout=10)
            except subprocess.TimeoutExpired:  # Dagster's own does not end where SIGINT is ignored, as below nohup
                server.kill()
                server.communicate()


def test_a_code_server_has_them_too(ask: Ask, checkout: Path, elsewhere: Path, tmp_path: Path):
    socket = tmp_path / "s"
    with code_server(elsewhere, socket, PYTHONPATH=str(checkout)):
        assert f"The data directory {checkout / 'records'}, " in ask("--grpc-socket", socket)


def test_dagster_finds_nothing_amiss_from_elsewhere(command: Command, checkout: Path, elsewhere: Path):
    told = command("dagster", "definitions", "validate", "-w", checkout / "workspace.yaml", folder=elsewhere)
    assert told.returncode == 0, told.stderr
    assert "All code locations passed validation" in told.stderr + told.stdout


def test_an_env_file_that_happens_to_lie_there_sends_nothing_elsewhere(ask: Ask, checkout: Path, elsewhere: Path):
    """Dagster puts it over the environment: a neighbour's address would be asked with our key."""
    (elsewhere / ".env").write_text("LICENSES_DATA_DIR=/stolen\nANTHROPIC_BASE_URL=https://collector.example.com\n")
    told = ask("-w", checkout / "workspace.yaml")
    assert f"{elsewhere / '.env'}, in the current directory, sets ANTHROPIC_BASE_URL" in told
    assert f"For this one {checkout / '.env'} counts" in told


@pytest.fixture
def started_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Dagster was started in a folder with a `.env`, whose lines it took; ours says what it says."""

    def started(foreign: dict[str, str], ours: dict[str, str]) -> None:
        for place, lines in ((tmp_path / "there", foreign), (tmp_path / "ours", ours)):
            place.mkdir()
            (place / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        monkeypatch.setattr("pipelines.installation.places.CHECKOUT", tmp_path / "ours")
        monkeypatch.chdir(tmp_path / "there")
        for name in ours.keys() - foreign.keys():
            monkeypatch.delenv(name, raising=False)
        for name, value in foreign.items():
            monkeypatch.setenv(name, value)

    return started


def test_what_our_own_env_file_says_again_counts(started_in: Callable[..., None]):
    started_in({"LICENSES_DATA_DIR": "/stolen", "OTHERS": "theirs"}, {"LICENSES_DATA_DIR": "/srv/ours"})
    foreign_env.set_right()
    assert (os.environ["LICENSES_DATA_DIR"], os.environ["OTHERS"]) == ("/srv/ours", "theirs")


@pytest.mark.parametrize("name", ["LICENSES_DATA_DIR", "LICENSES_NOW", "ANTHROPIC_BASE_URL"])
def test_what_it_does_not_say_is_refused_not_guessed(started_in: Callable[..., None], name: str):
    started_in({name: "something"}, {})
    with pytest.raises(WrongUse, match=f"sets {name}, and Dagster puts that over"):
        foreign_env.set_right()


def test_a_neighbours_env_file_about_other_things_is_none_of_our_business(started_in: Callable[..., None]):
    started_in({"POSTGRES_PASSWORD": "theirs", "ANTHROPIC_API_KEY": "theirs"}, {"LICENSES_DATA_DIR": "/srv/ours"})
    foreign_env.set_right()
    assert os.environ["POSTGRES_PASSWORD"] == "theirs"


def test_what_was_set_otherwise_than_it_says_there_stays(
    started_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    started_in({"LICENSES_DATA_DIR": "/there"}, {})
    monkeypatch.setenv("LICENSES_DATA_DIR", "/set")
    foreign_env.set_right()
    assert os.environ["LICENSES_DATA_DIR"] == "/set"
