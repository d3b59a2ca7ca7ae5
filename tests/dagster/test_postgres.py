"""An instance on PostgreSQL that another code location shares: nights are seen there, a neighbour's asset follows.

Debian's PostgreSQL, in a cluster of the test's own, with the `dagster.yaml` that docs/dagster.md tells to write.
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import dagster as dg
import pytest

from sandbox import Clock, Organization, create_app, serving
from tests.cli.conftest import Said
from tests.commandline import Operator
from tests.dagster import neighbour
from tests.dagster.conftest import PROJECT, Command

pytestmark = pytest.mark.slow

DAY = date(2026, 11, 23)
NIGHT = datetime(2026, 11, 24, 2, tzinfo=UTC)
NEIGHBOUR = Path(__file__).with_name("neighbour.yaml")
LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } }
    assetNodes { assetKey { path } dependencyKeys { path } repository { location { name } }
        partitionStats { numMaterialized } } }"""


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL of ours, as the environment that its users need."""

    environment: Mapping[str, str]


def programs() -> Path | None:
    """Where Debian has PostgreSQL's programs: not in the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else Path(which).parent if (which := shutil.which("initdb")) else None


@pytest.fixture(scope="module")
def postgres() -> Iterator[Cluster]:
    """PostgreSQL refuses to run as root, so there it runs as its own user."""
    if not find_spec("dagster_postgres"):
        pytest.skip("the extra postgres is not installed")
    if not (bin := programs()):
        pytest.skip("PostgreSQL is not installed (Debian's package postgresql)")
    user = "postgres" if os.geteuid() == 0 else None
    folder, password = Path(mkdtemp(prefix="licenses-pg-")), secrets.token_hex(8)
    (folder / "password").write_text(password)
    if user:
        shutil.chown(folder, user)
        shutil.chown(folder / "password", user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    def run(program: str, *words: str) -> None:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        told = subprocess.run(
            [bin / program, "-D", folder / "cluster", *words],
            user=user,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=(out := (folder / "out").open("a+")),
            stderr=subprocess.STDOUT,
        )
        out.seek(0)
        with out:
            assert told.returncode == 0, out.read()

    try:
        run("initdb", "-U", "dagster", "-A", "scram-sha-256", "--pwfile", str(folder / "password"), "--no-sync")
        where = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
        run("pg_ctl", "start", "-w", "-o", where, "-l", str(folder / "log"))
        yield Cluster(
            {
                "DAGSTER_PG_HOST": "127.0.0.1",
                "DAGSTER_PG_PORT": port,
                "DAGSTER_PG_USER": "dagster",
                "DAGSTER_PG_PASSWORD": password,
                "DAGSTER_PG_DB": "postgres",
            }
        )
    finally:
        if (folder / "cluster" / "postmaster.pid").exists():
            run("pg_ctl", "stop", "-m", "immediate")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def theirs(postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The instance's home, as the documentation tells to write it."""
    (settings,) = [
        block
        for block in re.findall(r"```yaml\n(.*?)```", (PROJECT / "docs" / "dagster.md").read_text("utf-8"), re.DOTALL)
        if "postgres_db" in block
    ]
    home = tmp_path / "theirs"
    home.mkdir()
    (home / "dagster.yaml").write_text(settings)
    for name, value in postgres.environment.items():
        monkeypatch.setenv(name, value)
    return home


def test_a_night_on_postgresql_is_seen_there_and_a_neighbours_asset_follows_it(
    theirs: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
):
    clock = Clock(NIGHT)
    company = create_app(Organization(members=20), clock=clock.now)
    with serving(company) as url:
        operator = Operator(tmp_path / "ours", url, clock, DAGSTER_HOME=str(theirs))
        night = operator.night(DAY)
        assert (night.status, night.err) == (0, "")
        provisional = operator.at(NIGHT + timedelta(hours=10), DAY + timedelta(days=1))
        assert provisional.status == 0, provisional.err
        said = Said(operator("check", LICENSES_NOW=(NIGHT + timedelta(hours=10)).isoformat()))

    assert f"DAGSTER_HOME names {theirs}" in said.about("ok", "instance")
    assert f"for {DAY}" in said.about("ok", "last nightly run")
    assert not (operator.data / "dagster" / "dagster.yaml").exists()

    monkeypatch.setenv("LICENSES_DATA_DIR", str(operator.data))
    with dg.DagsterInstance.from_config(str(theirs)) as opened:
        assert {run.job_name for run in opened.get_runs()} == {"claude_licenses_nightly"}
        assert opened.get_materialized_partitions(neighbour.UPSTREAM) == {str(DAY)}, "today is not green"

        context = dg.build_sensor_context(instance=opened, definitions=neighbour.defs)
        (request,) = neighbour.when_a_day_is_green.evaluate_tick(context).run_requests or ()
        assert request.partition_key == str(DAY)
        followed = dg.materialize([neighbour.licenses_in_use], partition_key=request.partition_key, instance=opened)
        (published,) = operator.ask(f"select count(*) from license_snapshots where snapshot_date = '{DAY}'")
        (rows,) = [
            event.materialization.metadata["rows"].value for event in followed.get_asset_materialization_events()
        ]
        assert rows == published[0] > 0

    told = command(
        "dagster-graphql",
        *("-w", PROJECT / "workspace.yaml", "-w", NEIGHBOUR, "-t", LOCATIONS),
        folder=tmp_path,
        **{name: os.environ[name] for name in os.environ if name.startswith("DAGSTER_PG_")},
        DAGSTER_HOME=str(theirs),
        LICENSES_DATA_DIR=str(operator.data),
    )
    assert seen_together(told.stdout) == {
        "license-history": (["claude_licenses", "observation"], 1),
        "neighbour": (["claude_licenses", "license_assignments"], 1),
    }


def test_where_it_is_down_the_night_is_taken_without_its_log(
    theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nothing listens there
        monkeypatch.setenv("DAGSTER_PG_PORT", str(held.getsockname()[1]))
        clock = Clock(NIGHT)
        with serving(create_app(Organization(members=20), clock=clock.now)) as url:
            operator = Operator(tmp_path / "ours", url, clock, DAGSTER_HOME=str(theirs))
            night = operator.night(DAY)
            said = Said(operator("check", LICENSES_NOW=NIGHT.isoformat()))
    assert night.status == 3
    assert operator.ask("select count(distinct snapshot_date) from license_snapshots") == [(1,)]
    for told in (night.err, said.about("problem", "Dagster")):
        assert f"Dagster's instance of DAGSTER_HOME ({theirs}) cannot be used" in told
        assert os.environ["DAGSTER_PG_PASSWORD"] not in told


def seen_together(answer: str) -> dict[str, tuple[list[str], int]]:
    """For each location, what its asset of the day depends on, and how many of its days are green."""
    (line,) = [line for line in answer.splitlines() if line.startswith('{"data"')]
    told = json.loads(line)["data"]
    entries = told["workspaceOrError"]["locationEntries"]
    assert {one["name"]: one["locationOrLoadError"]["__typename"] for one in entries} == {
        "license-history": "RepositoryLocation",
        "neighbour": "RepositoryLocation",
    }
    nodes = {"/".join(one["assetKey"]["path"]): one for one in told["assetNodes"]}
    return {
        node["repository"]["location"]["name"]: (
            node["dependencyKeys"][0]["path"],
            node["partitionStats"]["numMaterialized"],
        )
        for node in (nodes["claude_licenses/license_assignments"], nodes["licenses_in_use"])
    }
