"""The doctor's patients: a data directory in which a night has just been taken, and `licenses check` on it."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.layout import DataDirectory
from pipelines.cli.doctor import organizations
from sandbox import Clock, Options, Organization, create_app, serving
from tests.commandline import Finished, Operator

NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
DAY = NOW.date() - timedelta(days=1)
KEY = "sk-ant-admin01-never-to-be-shown"
COMPANY = Organization(members=20)


@dataclass(frozen=True)
class Said:
    """What a check printed, in one line, and how it ended."""

    finished: Finished

    @property
    def status(self) -> int:
        return self.finished.status

    @property
    def lines(self) -> list[str]:
        return self.finished.out.splitlines()

    @property
    def text(self) -> str:
        return " ".join(self.finished.out.split())

    def about(self, mark: str, subject: str) -> str:
        """The one finding that has this mark and subject."""
        found = [text for text in self.findings() if text.startswith(f"{mark} {subject}: ")]
        assert len(found) == 1, f"{mark} {subject} in {self.text}"
        return found[0]

    def subjects(self, mark: str) -> list[str]:
        return [
            text.removeprefix(f"{mark} ").partition(":")[0] for text in self.findings() if text.startswith(f"{mark} ")
        ]

    def findings(self) -> list[str]:
        found: list[str] = []
        for line in self.lines:
            if line.startswith(" " * 11) and found:
                found[-1] += f" {line.strip()}"
            elif line.startswith("  "):
                found.append(" ".join(line.split()))
        return found

    @property
    def document(self) -> Any:
        """What `--json` told: the whole of standard output."""
        return json.loads(self.finished.raw)


Check = Callable[..., Said]


def serve(**options: Any) -> Any:
    return serving(create_app(COMPANY, clock=Clock(NOW).now, options=Options(**options)))


def traces(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every path with its time of change, which tells even of files that came and went, and its contents."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in root.rglob("*")
    } | {".": (root.stat().st_mtime_ns, b"")}


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with serve() as url:
        yield url


@pytest.fixture(scope="session")
def night(url: str, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which `licenses snapshot` has just run."""
    operator = Operator(tmp_path_factory.mktemp("night"), url, home=home, ANTHROPIC_ADMIN_KEY=KEY)
    taken = operator("snapshot", LICENSES_NOW=NOW.isoformat())
    assert taken.status == 0, taken.err
    return operator.data


@pytest.fixture
def data(night: Path, tmp_path: Path) -> DataDirectory:
    """The test's own copy of that directory."""
    return DataDirectory(shutil.copytree(night, tmp_path / "data"))


@pytest.fixture
def check(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Runs the command in an environment, and makes sure that no key was told and no file touched."""
    monkeypatch.setattr(organizations, "PATIENCE_SECONDS", 0.3)
    operator = Operator(tmp_path, url, COLUMNS="80", ANTHROPIC_ADMIN_KEY=KEY, LICENSES_NOW=NOW.isoformat())

    def run(*words: str, **environment: str) -> Said:
        before = traces(tmp_path)
        finished = operator("check", *words, **environment)
        assert traces(tmp_path) == before
        assert not finished.err, finished.err
        for name, key in (operator.environment | environment).items():
            if name.endswith("KEY") and key:
                assert key not in finished.out
        return Said(finished)

    return run
