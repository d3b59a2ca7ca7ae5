"""One measurement is one child process, which times its own work and asks the kernel for its CPU time and peak memory.

CPU seconds are those of all threads, in the program and in the kernel, and of the processes that were waited for: what
other work a shared machine does meanwhile is not among them, as it is in the time that a clock on the wall shows.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
KIB = 1 if sys.platform == "darwin" else 1024
"""What `ru_maxrss` counts in, in bytes."""


class Spent(NamedTuple):
    """Seconds, by the clock on the wall and of the processors."""

    wall: float
    cpu: float

    @classmethod
    def until_now(cls) -> "Spent":
        """Since some beginning: two of them tell what was spent in between."""
        used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cls(time.perf_counter(), sum(one.ru_utime + one.ru_stime for one in used))

    def less(self, other: "Spent") -> "Spent":
        return Spent(self.wall - other.wall, self.cpu - other.cpu)


@dataclass(frozen=True)
class Measured:
    """What one child did: the time of each step, in order, the rows that it read, and its peak memory in bytes.

    One that failed has nothing but the sentence with which it ended.
    """

    steps: dict[str, Spent]
    rows: int = 0
    peak: int = 0
    failure: str = ""

    @property
    def wall(self) -> float:
        return sum(step.wall for step in self.steps.values())

    @property
    def cpu(self) -> float:
        return sum(step.cpu for step in self.steps.values())


Groups = dict[str, list[Measured]]
"""Measurements of the same work, by its name."""


class Stopwatch:
    """Times a child's steps; `tell` prints the measurement as the child's last line."""

    def __init__(self) -> None:
        self.steps: dict[str, Spent] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = Spent.until_now()
        yield
        self.steps[name] = Spent.until_now().less(begun)

    def tell(self, rows: int = 0) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
        print(json.dumps(asdict(Measured(self.steps, rows, peak))), flush=True)


def child(python: Path | str, module: str, *arguments: Any) -> Measured:
    """Run a program that ends with `Stopwatch.tell`.

    This process must stay small: on Linux a child's peak begins with its parent's size.
    """
    command = [str(python), "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        return Measured({}, failure=_last_words(done.stderr) or f"it ended with status {done.returncode}")
    told = json.loads(done.stdout.splitlines()[-1])
    return Measured(**told | {"steps": {name: Spent(*spent) for name, spent in told["steps"].items()}})


def command(words: list[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Run any program, from its call to its end."""
    begun = time.perf_counter()
    # Nobody reads what it prints, but it may be long: a full pipe would hold the program up.
    with subprocess.Popen(
        words, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    spent = Spent(time.perf_counter() - begun, used.ru_utime + used.ru_stime)
    if process.returncode:
        return Measured({}, failure=f"it ended with status {process.returncode}")
    return Measured({"command": spent}, peak=used.ru_maxrss * KIB)


@contextmanager
def background(python: Path | str, module: str, *arguments: Any) -> Iterator[str]:
    """Run a server that prints its base URL once it is ready, as long as the block lasts."""
    words = [str(python), "-m", module, *map(str, arguments)]
    with subprocess.Popen(words, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def in_turns(contestants: Mapping[str, Callable[[], Measured]], rounds: int) -> Groups:
    """Each contestant once per round, one after another, so that a busy moment of the machine falls on all.

    Each is told as it comes. What has failed once is not tried again.
    """
    groups: Groups = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            if not any(one.failure for one in groups[name]):
                measured = run()
                groups[name].append(measured)
                told = measured.failure or f"{measured.cpu:.2f} s of CPU, {measured.wall:.2f} s"
                print(f"  {name}: {told}", flush=True)
    return groups


def _last_words(told: str) -> str:
    """The error itself: the last line of a traceback that does not go on from another."""
    lines = [line for line in told.splitlines() if line and not line.startswith((" ", "\t"))]
    errors = [line for line in lines if "Error" in line or "Exception" in line]
    return (errors or lines or [""])[-1][:200]
