"""The pieces of `make bench-quick`, on a tiny organization: each does its work, and no row of it has failed.

The peer, the floors' environment and `make run` are left to the benchmark itself.
"""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from assets.days import LOOK_BACK_DAYS, TRAILING_DAYS
from benchmarks import __main__ as benchmark
from benchmarks.measuring import child
from benchmarks.nightly import DAY, STEPS, serving
from benchmarks.organization import ACTIVE_SHARE
from benchmarks.sizes import QUICK, Organization

pytestmark = pytest.mark.slow

TINY = replace(QUICK, night=Organization(300, 100), landings=2, holders=60, history=20, marks=(5, 20))


@pytest.mark.parametrize("days", [TRAILING_DAYS, LOOK_BACK_DAYS])
def test_a_night_reads_the_usage_of_as_many_days_as_it_is_told(days: int, tmp_path: Path):
    with serving(TINY.night) as base_url:
        night = child(sys.executable, "benchmarks.contestants.ours", base_url, tmp_path, DAY, days)
    assert night.failure == ""
    assert tuple(night.steps) == STEPS
    holders, workspaces = sum(TINY.night), 200
    assert night.rows == holders + 1 + 2 * workspaces + days * int(holders * ACTIVE_SHARE)
    assert night.cpu > 0 < night.peak


def test_what_fails_ends_with_its_own_last_words(tmp_path: Path):
    gone = child(sys.executable, "benchmarks.contestants.history", "copy", tmp_path)
    assert gone.failure.startswith("FileNotFoundError: ")
    assert gone.steps == {}


def test_history_questions_growth_and_replay_have_every_row(capsys: pytest.CaptureFixture[str]):
    parts = {
        part.title.split(":")[0].split(",")[0]: part
        for part in benchmark.measured(TINY, ["replay", "history", "growth"])
    }
    assert list(parts) == ["Replay of a month", "The history", "Questions", "Growth"]
    assert {title: "failed" in part.text for title, part in parts.items()} == dict.fromkeys(parts, False)
    assert [goal.measured for part in parts.values() for goal in part.goals if "failed" in goal.measured] == []
    assert "5 days" in parts["Growth"].text
    assert "20 days" in parts["Growth"].text
    assert "53 questions asked" in capsys.readouterr().out
