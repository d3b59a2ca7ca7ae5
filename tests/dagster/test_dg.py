"""`dg`, Dagster's newer command, in a checkout."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from sandbox import Clock, Organization, create_app, serving
from tests.dagster.conftest import Command
from tests.scripted import KEY

pytestmark = pytest.mark.slow

DAY = date(2026, 11, 23)
NIGHT = datetime(2026, 11, 24, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def company() -> Iterator[dict[str, str]]:
    """The settings with which one night of a pretend company is taken."""
    with serving(create_app(Organization(members=20), clock=Clock(NIGHT).now)) as url:
        yield {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_ADMIN_KEY": KEY, "LICENSES_NOW": NIGHT.isoformat()}


def test_it_checks_and_lists_the_definitions(command: Command, checkout: Path, tmp_path: Path):
    checked = command("dg", "check", "defs", folder=checkout)
    assert checked.returncode == 0, checked.stderr
    assert "All definitions loaded successfully" in checked.stdout + checked.stderr
    listed = command("dg", "list", "defs", "--json", "--target-path", checkout, folder=tmp_path)
    assert listed.returncode == 0, listed.stderr
    told = json.loads(listed.stdout)
    assert {"claude_licenses/observation", "claude_licenses/license_assignments", "claude_licenses/warehouse"} <= {
        one["asset_key"] for one in told["assets"]
    }
    assert "claude_licenses_nightly" in {one["name"] for one in told["jobs"]}


DAYS = 'key:"claude_licenses/observation" or key:"claude_licenses/license_assignments"'


@pytest.mark.parametrize(
    "what", [("--job", "claude_licenses_nightly"), ("--assets", DAYS)], ids=["the job", "its first two assets"]
)
def test_it_launches_a_night(
    command: Command, checkout: Path, tmp_path: Path, company: dict[str, str], what: tuple[str, str]
):
    """Into the data directory of the checkout's `.env`."""
    shutil.rmtree(checkout / "records", ignore_errors=True)
    launched = command("dg", "launch", *what, "--partition", DAY, folder=checkout, **company)
    assert launched.returncode == 0, launched.stderr[-3000:]
    assert len([*(checkout / "records" / "snapshots").rglob("part.parquet")]) == 1
    with dg.DagsterInstance.from_config(str(tmp_path / "home")) as opened:
        key = dg.AssetKey(["claude_licenses", "license_assignments"])
        assert opened.get_materialized_partitions(key) == {str(DAY)}


def test_a_night_without_its_day_asks_for_nothing(command: Command, checkout: Path, company: dict[str, str]):
    shutil.rmtree(checkout / "records", ignore_errors=True)
    launched = command("dg", "launch", "--job", "claude_licenses_nightly", folder=checkout, **company)
    assert launched.returncode != 0
    assert not (checkout / "records" / "landing").exists()
