"""What all tests share: nobody waits, nobody hears this machine's environment, and the nights of one organization."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from assets.extraction import patience
from tests import examples  # noqa: F401 -- the profiles
from tests.history.snapshots import World
from tests.scripted import Handler, Nights

IN_MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30
"""Bytes: what the temporary directories of a whole run may hold, with plenty to spare."""

if os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM:
    # Waiting for a disk is half of a night's time. The attacks and the disks of tests/files pretend their own.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))

settings.load_profile("quick")  # unless --hypothesis-profile names another


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """One module's tests stay together under -n, so that the nights that they share are taken once."""
    from xdist.scheduler import LoadScopeScheduling

    return LoadScopeScheduling(config, log)


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> None:
    """Whoever runs the tests may have real keys in their environment."""
    for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "LICENSES_", "DAGSTER_"))]:
        del os.environ[name]


@pytest.fixture(autouse=True, scope="session")
def _no_waiting() -> Iterator[None]:
    """Retries happen at once, as often as in production: a question's own clock counts what it would have waited."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patience, "sleep", lambda seconds: None)
        yield


@pytest.fixture
def nights(tmp_path: Path) -> Callable[..., Nights]:
    """Nights in a data directory of the test's own, against the API given and with the keys given."""

    def of(api: Handler, *keys: str) -> Nights:
        return Nights(tmp_path / "data", api, *keys)

    return of


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A data directory that a test publishes into, without asking anybody."""
    return World(tmp_path)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh Dagster instance, made once."""
    from assets.layout import DataDirectory
    from pipelines.installation.instance import instance
    from tests.commandline import environment_restored

    data = DataDirectory(tmp_path_factory.mktemp("fresh"))
    with environment_restored(), instance(data) as opened:
        assert opened.get_runs() == []
    return data.dagster_home
