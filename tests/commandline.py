"""The real command line, in this process: its exit status and both of its streams."""

import io
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.cli import app as cli
from sandbox import Clock
from tests.scripted import KEY


@dataclass(frozen=True)
class Finished:
    status: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode()


def licenses(*words: str, environment: Mapping[str, str], folder: Path, called_in: Path | None = None) -> Finished:
    """Run `licenses` with these words and settings, installed in `folder`; the process is left as it was."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    status = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err), environment_restored():
        patch.setattr(sys, "argv", ["licenses", *words])
        patch.setattr(cli, "_debug", False)
        patch.setattr("pipelines.installation.places.CHECKOUT", folder)
        patch.chdir(called_in or folder)
        os.environ.update(environment)
        try:
            cli.main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1 if end.code else 0
    out.flush()
    return Finished(status, out.buffer.getvalue(), err.getvalue())


@contextmanager
def environment_restored() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Operator:
    """Somebody with a data directory, an organization's address, and the command line."""

    def __init__(
        self, folder: Path, url: str, clock: Clock | None = None, *, home: Path | None = None, **environment: str
    ) -> None:
        """`home` is a fresh instance of Dagster's: a copy of one is quicker than a new one."""
        self.folder, self.data, self.clock = folder, folder / "data", clock
        self.environment = {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_ADMIN_KEY": KEY,
            "LICENSES_DATA_DIR": str(self.data),
        } | environment
        folder.mkdir(parents=True, exist_ok=True)
        if home:
            shutil.copytree(home, self.data / "dagster")

    def __call__(self, *words: str, **environment: str) -> Finished:
        return licenses(*words, environment=self.environment | environment, folder=self.folder)

    def night(self, day: date, *words: str, **environment: str) -> Finished:
        """The night after `day`, at 02:00 UTC."""
        return self.at(
            datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=26), day, *words, **environment
        )

    def at(self, now: datetime, day: date, *words: str, **environment: str) -> Finished:
        """A snapshot of `day`, both clocks standing at `now`."""
        if self.clock:
            self.clock.set(now)
        return self("snapshot", "--day", str(day), *words, LICENSES_NOW=now.isoformat(), **environment)

    def published(self) -> dict[str, bytes]:
        """Every file that analysts read: snapshots, usage and warehouse."""
        places = [
            self.data / "warehouse.duckdb",
            *(self.data / "snapshots").rglob("*"),
            *(self.data / "usage").rglob("*"),
        ]
        return {str(place.relative_to(self.data)): place.read_bytes() for place in places if place.is_file()}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The warehouse, as an analyst's own DuckDB sees it."""
        with duckdb.connect(str(self.data / "warehouse.duckdb"), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.sql(query).fetchall()
