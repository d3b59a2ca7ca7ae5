"""The key is in no file, no log, no error: after nights that went well and nights that did not."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from sandbox import serving
from tests.commandline import Finished, Operator
from tests.scripted import DAY, ScriptedApi, api_key, as_app, error, user

pytestmark = pytest.mark.slow

SECRET = "sk-ant-admin01-Tell-Nobody-0815"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[tuple[Path, list[Finished]]]:
    """The data directory and all that was said, by an API that repeats the key wherever it can."""
    api = ScriptedApi(users=[user(1)], api_keys=[api_key(1)])

    def echo(status: int):
        return lambda request: error(status, f"key {request.headers['x-api-key']} is odd")

    api.says["workspaces"] = echo(403)
    folder = tmp_path_factory.mktemp("secrets")
    with serving(as_app(api)) as url:
        operator = Operator(folder, url, home=home, ANTHROPIC_ADMIN_KEY=SECRET)
        said = [operator.night(DAY)]
        elsewhere = httpx.Response(302, headers={"location": f"/{SECRET}"})
        for name, answer in (
            ("users", echo(400)),
            ("users", lambda _: elsewhere),
            ("me", echo(401)),
            ("invites", echo(500)),
        ):
            api.says[name] = answer
            now = {"LICENSES_NOW": "2026-06-03T02:00:00Z"}
            said.append(operator("--debug", "snapshot", "--day", str(DAY + timedelta(days=1)), **now))
            del api.says[name]
        said.append(operator.night(DAY + timedelta(days=1), ANTHROPIC_ADMIN_KEY=SECRET[2:]))
        said.append(operator.night(DAY + timedelta(days=1), ANTHROPIC_ADMIN_KEY=f"{SECRET}\n{SECRET}"))
        said.append(operator("sql", "select 1"))
        yield folder, said


def test_the_nights_ended_as_they_should(told: tuple[Path, list[Finished]]):
    assert [one.status for one in told[1]][:6] == [0, 1, 1, 1, 3, 2]
    assert told[1][6].status in (1, 2)


def test_the_key_is_in_nothing_that_was_said(told: tuple[Path, list[Finished]]):
    for one in told[1]:
        assert "Tell-Nobody" not in one.out + one.err
    assert "[key]" in told[1][1].err


def test_the_key_is_in_no_file(told: tuple[Path, list[Finished]]):
    files = [path for path in told[0].rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files), "Dagster's own are among them"
    assert [path for path in files if b"Tell-Nobody" in path.read_bytes()] == []
