"""kill -9 at the worst moments, and somebody else's locks: nothing is half there, and the next run ends well."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import httpx
import pyarrow.parquet as pq
import pytest

from sandbox import serving
from tests.commandline import Operator
from tests.files.disks import leftovers
from tests.scripted import DAY, ScriptedApi, api_key, as_app, user

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
NEXT = DAY + timedelta(days=1)
RUN = "from pipelines.cli import main; main()"
DIE_WHILE_PUBLISHING = f"""
import os
from assets.files import publishing
put = publishing.put
def one_and_no_more(source, path):
    put(source, path)
    if "snapshots" in path.parts:
        os.kill(os.getpid(), 9)
publishing.put = one_and_no_more
{RUN}
"""


class Company(Operator):
    api: ScriptedApi
    gate: threading.Event
    asked: threading.Event

    def start(self, program: str) -> subprocess.Popen[str]:
        """The night after NEXT, as a process of its own."""
        settings = self.environment | {"LICENSES_NOW": "2026-06-03T02:00:00Z", "PYTHONPATH": str(PROJECT)}
        return subprocess.Popen(
            [sys.executable, "-c", program, "snapshot", "--day", str(NEXT)],
            env=os.environ | settings,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Company]:
    """A company with one good night behind it, whose members' list can be held up."""
    api = ScriptedApi(users=[user(1), user(2)], api_keys=[api_key(1)])
    gate, asked = threading.Event(), threading.Event()
    gate.set()

    def held_up(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/v1/organizations/users"):
            asked.set()
            gate.wait(30)
        return api(request)

    with serving(as_app(held_up)) as url:
        made = Company(tmp_path_factory.mktemp("killed"), url, home=home)
        made.api, made.gate, made.asked = api, gate, asked
        assert made.night(DAY).status == 0
        yield made


def whole(company: Company) -> list[tuple[str, int]]:
    """Every snapshot file's path and rows: each can be read to its end."""
    files = sorted(company.data.glob("snapshots/**/part.parquet"))
    return [(file.parent.parent.name, pq.ParquetFile(file).read().num_rows) for file in files]


def test_killed_while_asking_nothing_has_changed(company: Company):
    before = company.published()
    company.gate.clear()
    company.asked.clear()
    with company.start(RUN) as process:
        assert company.asked.wait(30)
        process.kill()
        company.gate.set()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert company.published() == before


def test_killed_while_publishing_every_file_is_whole_and_the_next_run_completes_the_night(company: Company):
    company.api.lists["users"].append(user(3))
    with company.start(DIE_WHILE_PUBLISHING) as process:
        _, err = process.communicate()
    assert process.returncode == -signal.SIGKILL, err
    assert whole(company) == [("snapshot_date=2026-06-01", 3), ("snapshot_date=2026-06-02", 4)]
    assert company.ask("select snapshot_date, count(*) from license_assignments group by all") == [(DAY, 3)]
    assert company.night(NEXT).status == 0
    assert company.ask("select snapshot_date, count(*) from license_assignments group by all") == [(NEXT, 4)]
    assert whole(company) == [("snapshot_date=2026-06-01", 3), ("snapshot_date=2026-06-02", 4)]
    assert leftovers(company.data) == []


@contextmanager
def somebody_writing(warehouse: Path) -> Iterator[None]:
    """Another process that holds the warehouse open for writing, with something not yet written in."""
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); c.execute('create table scribble as select 1');"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        try:
            yield
        finally:
            process.kill()


def test_somebody_who_holds_the_warehouse_open_for_writing_stops_nobody(company: Company):
    warehouse = company.data / "warehouse.duckdb"
    later = NEXT + timedelta(days=1)
    with somebody_writing(warehouse):
        with pytest.raises(duckdb.IOException):
            duckdb.connect(str(warehouse), read_only=True)
        asked = company("sql", "select max(snapshot_date) from snapshot_log", "--format", "csv")
        assert (asked.status, asked.err) == (0, "")
        assert asked.out.splitlines()[1].strip('"') == str(NEXT)
        finished = company.night(later)
        assert finished.status == 0, finished.err
        assert company.ask("select max(snapshot_date) from snapshot_log") == [(later,)]
    assert company.ask("select count(*) from information_schema.tables where table_name = 'scribble'") == [(0,)]
    assert not warehouse.with_name("warehouse.duckdb.wal").exists()
