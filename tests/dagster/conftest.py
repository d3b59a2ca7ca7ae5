"""Dagster's own commands, as whoever has a Dagster already starts them: in processes of their own, from anywhere."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = ("assets", "pipelines", "sandbox")
PATIENCE_SECONDS = 180
"""After which a command that hangs is ended."""

Command = Callable[..., subprocess.CompletedProcess[str]]


def program(name: str) -> Path:
    """A command of the interpreter that runs the tests."""
    found = Path(sys.executable).with_name(name)
    if not found.exists():
        pytest.skip(f"{name} is not installed")
    return found


def environment(**settings: str) -> dict[str, str]:
    """This process's, without anything that sends Dagster or us somewhere, and with these settings."""
    ours = ("ANTHROPIC_", "LICENSES_", "DAGSTER_", "PYTHONPATH", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"PYTHONWARNINGS": "ignore", "COLUMNS": "200"} | settings


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources in another place, with a `.env` of their own that says where the data lies."""
    place = tmp_path_factory.mktemp("checkout")
    for folder in SOURCES:
        shutil.copytree(PROJECT / folder, place / folder)
    shutil.copytree(PROJECT / "data" / "reference", place / "data" / "reference")
    for file in ("pyproject.toml", "workspace.yaml"):
        shutil.copyfile(PROJECT / file, place / file)
    (place / ".env").write_text("LICENSES_DATA_DIR=records\n")
    return place


def new_home(place: Path) -> Path:
    """The home of an instance that nobody has used yet."""
    place.mkdir()
    (place / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return place


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs one of Dagster's commands in a folder, on an instance of the test's own."""
    home = new_home(tmp_path / "home")

    def run(name: str, *words: object, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program(name), *map(str, words)],
            cwd=folder,
            env=environment(**{"DAGSTER_HOME": str(home)} | settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )

    return run
