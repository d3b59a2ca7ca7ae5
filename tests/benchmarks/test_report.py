"""What `make bench` tells: medians of CPU seconds, and every goal, what failed included."""

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.measuring import Measured, Spent, in_turns
from benchmarks.nightly import STEPS, first_night_part, night_part
from benchmarks.sizes import QUICK
from benchmarks.startup import DAGSTER, EMPTY, HELP, RUN, SQL, startup_part


def measured(cpu: float, peak: int = 0) -> Measured:
    """As long by the clock on the wall as if others had worked meanwhile, in equal steps."""
    return Measured({step: Spent(cpu, cpu / len(STEPS)) for step in STEPS}, rows=7, peak=peak)


FAILED = Measured({}, failure="OutOfMemoryException: no more")


def verdicts(part: report.Part) -> dict[str, tuple[str, bool]]:
    return {goal.name: (goal.measured, goal.is_met) for goal in part.goals}


def test_a_goal_is_judged_by_the_median_of_cpu_seconds():
    floor = [measured(1)] * 3
    ours = [measured(2.5), measured(90), measured(2.8)]
    part = night_part(QUICK, {"ours": ours, "floor": floor, "peer": [measured(10)], "million": [measured(5, 2**31)]})
    assert verdicts(part) == {
        "night, up to Parquet, to its floor": ("1.87 ×", False),
        "night, warehouse published and checked, to its floor": ("2.80 ×", True),
        "night, the peer's CPU to ours": ("3.57 ×", False),
        "peak memory, 15,000 members, 500 keys": ("2,048 MiB", False),
    }


def test_what_failed_is_missed_and_says_why():
    part = first_night_part(QUICK, {"ours": [FAILED], "floor": [measured(1)], "memory": [FAILED]})
    assert set(verdicts(part).values()) == {("failed", False)}
    assert "- ours failed: `OutOfMemoryException: no more`" in part.text
    assert report.told([part], 1, 0.0).count("**missed**") == len(part.goals)


def test_make_run_is_held_against_dagsters_import_of_the_same_minute():
    started = {name: [measured(0.3)] for name in (EMPTY, DAGSTER, HELP, SQL)}
    part = startup_part(started, {DAGSTER: [measured(2)], RUN: [measured(31)]})
    assert list(verdicts(part).values()) == [("15.50 ×", False), ("0.30 s", True), ("0.30 s", True)]


def test_contestants_take_turns_and_one_that_failed_is_not_tried_again():
    called: list[str] = []

    def run(name: str, outcome: Measured) -> Measured:
        called.append(name)
        return outcome

    groups = in_turns({"a": lambda: run("a", measured(1)), "b": lambda: run("b", FAILED)}, 3)
    assert called == ["a", "b", "a", "a"]
    assert [len(group) for group in groups.values()] == [3, 1]


def test_the_tables_replace_what_stands_between_the_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", "utf-8")
    monkeypatch.setattr(report, "README", readme)
    report.write("new")
    assert readme.read_text("utf-8") == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"
