"""kill -9 in the middle of a backfill: whole days are there, no half ones, and running it again goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.files.disks import leftovers
from tests.snapshots.past.conftest import LAST, TWO, Company
from tests.snapshots.past.test_reconstruction import DAYS, backfill

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[3]
DIE_AFTER_THREE_DAYS = """
import os
from assets.snapshots.past import fill as backfill
published, done = backfill.published, []
def three_and_no_more(derived, how):
    published(derived, how)
    done.append(derived)
    if len(done) == 3:
        os.kill(os.getpid(), 9)
backfill.published = three_and_no_more
from pipelines.cli import main
main()
"""


def test_killed_in_the_middle_whole_days_are_there_and_the_next_run_goes_on(company: Company):
    operator = company()
    words = ["backfill", "--from", str(DAYS[-6]), "--to", str(DAYS[-1])]
    killed = subprocess.run(
        [sys.executable, "-c", DIE_AFTER_THREE_DAYS, *words],
        env=os.environ | operator.environment | {"LICENSES_NOW": TWO.isoformat(), "PYTHONPATH": str(PROJECT)},
        cwd=operator.folder,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    files = sorted((operator.data / "snapshots/license_assignments").glob("*/*/part.parquet"))
    assert [file.parent.parent.name for file in files] == [
        f"snapshot_date={day}" for day in (DAYS[-3], DAYS[-2], DAYS[-1], LAST)
    ]
    assert all(pq.ParquetFile(file).read().num_rows > 0 for file in files)
    assert operator.ask("select count(*) from snapshot_log") == [(1,)]

    again = backfill(operator, DAYS[-6], DAYS[-1])
    assert again.status == 0, again.err
    assert "Done: 3 reconstructed." in again.out
    assert operator.ask("select count(*), count(distinct provenance) from snapshot_log") == [(7, 2)]


def test_killed_after_its_last_day_the_next_run_has_nothing_to_do_but_shows_them_all(company: Company):
    operator = company()
    words = ["backfill", "--from", str(DAYS[-3]), "--to", str(DAYS[-1])]
    killed = subprocess.run(
        [sys.executable, "-c", DIE_AFTER_THREE_DAYS, *words],
        env=os.environ | operator.environment | {"LICENSES_NOW": TWO.isoformat(), "PYTHONPATH": str(PROJECT)},
        cwd=operator.folder,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    again = backfill(operator, DAYS[-3], DAYS[-1])
    assert again.status == 0, again.err
    assert "Nothing to do" in again.out
    assert operator.ask("select count(*) from snapshot_log") == [(4,)]
    assert leftovers(operator.data) == []
