"""The measurements as Markdown: a part has its tables and its goals; all goals stand together in one table."""

import os
import platform
from collections.abc import Iterable
from math import inf, isfinite
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.measuring import Groups, Measured

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


class Goal(NamedTuple):
    """What was wanted and what came out; what could not be measured, because it failed, is missed."""

    name: str
    wanted: str
    measured: str
    is_met: bool


class Part(NamedTuple):
    """One heading's tables, and the goals that they are held against."""

    title: str
    text: str
    goals: list[Goal]


def told(parts: Iterable[Part], rounds: int, load: float) -> str:
    """Everything: the machine, the goals, and each part."""
    parts = list(parts)
    goals = [[one.name, one.wanted, one.measured, "met" if one.is_met else "**missed**"] for one in _goals(parts)]
    return "\n\n".join(
        [
            _machine(rounds, load),
            table(["goal", "wanted", "measured", ""], goals),
            *(f"### {part.title}\n\n{part.text}" for part in parts),
        ]
    )


def write(text: str) -> None:
    """Replace what stands between the marks."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def at_most(name: str, limit: float, measured: float, unit: str = "×") -> Goal:
    """A goal that a smaller number is better for."""
    return Goal(name, f"≤ {limit:g} {unit}", amount(measured, unit), measured <= limit)


def at_least(name: str, limit: float, measured: float, unit: str = "×") -> Goal:
    """A goal that a larger number is better for."""
    return Goal(name, f"≥ {limit:g} {unit}", amount(measured, unit), isfinite(measured) and measured >= limit)


def amount(value: float, unit: str) -> str:
    """A number beside its unit, as precise as is of use."""
    if not isfinite(value):
        return "failed"
    return f"{value:,.{0 if abs(value) >= 100 or unit in ('ms', 'MiB') else 1 if abs(value) >= 20 else 2}f} {unit}"


def cpu(measured: list[Measured], *steps: str) -> float:
    """The median of CPU seconds, of some steps or of all; without end where it failed."""
    if any(one.failure for one in measured):
        return inf
    return median(sum(one.steps[step].cpu for step in steps or one.steps) for one in measured)


def wall(measured: list[Measured], *steps: str) -> float:
    """The same by the clock on the wall."""
    if any(one.failure for one in measured):
        return inf
    return median(sum(one.steps[step].wall for step in steps or one.steps) for one in measured)


def mebibytes(measured: list[Measured]) -> float:
    """The median of peak memory; without end where it failed."""
    if any(one.failure for one in measured):
        return inf
    return median(one.peak for one in measured) / 2**20


def rows_read(measured: list[Measured]) -> str:
    """The same in every round, or unknown."""
    return f"{measured[0].rows:,}" if measured[0].rows else ""


def failures(groups: Groups) -> str:
    """A line for each that failed, with its last words."""
    return "\n".join(
        f"- {name} failed: `{one.failure}`" for name, measured in groups.items() for one in measured if one.failure
    )


def text(*paragraphs: str) -> str:
    """Paragraphs one below another, without empty ones."""
    return "\n\n".join(filter(None, paragraphs))


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """The first column to the left, numbers to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _goals(parts: list[Part]) -> list[Goal]:
    return [goal for part in parts for goal in part.goals]


def _machine(rounds: int, load: float) -> str:
    """What it was measured on: size and versions, no names; and how busy it was with other work before."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    medians = "one round" if rounds == 1 else f"medians of {rounds} rounds in turns"
    busy = "" if load < 1 else " (busy: the clock on the wall tells little)"
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()}, Python {platform.python_version()}; "
        f"{medians}. Load average before the run: {load:.1f}{busy}. Ratios and goals are of CPU seconds."
    )
