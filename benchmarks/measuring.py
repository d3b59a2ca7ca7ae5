"""One measurement is one child process, which times its own work and asks the kernel for its own peak memory."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
KIB = 1 if sys.platform == "darwin" else 1024
"""What `ru_maxrss` counts in, in bytes."""


@dataclass(frozen=True)
class Measured:
    """What one child did: seconds per step, in order, the rows that it read, and its peak memory in bytes."""

    steps: dict[str, float]
    rows: int
    peak: int

    @property
    def seconds(self) -> float:
        return sum(self.steps.values())


class Stopwatch:
    """Times a child's steps; `tell` prints the measurement as the child's last line."""

    def __init__(self) -> None:
        self._steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._steps[name] = time.perf_counter() - started

    def tell(self, rows: int) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
        print(json.dumps(asdict(Measured(self._steps, rows, peak))), flush=True)


def child(python: Path, module: str, *arguments: Any) -> Measured:
    """Run a program that ends with `Stopwatch.tell`.

    This process must stay small: on Linux a child's peak begins with its parent's size.
    """
    command = [str(python), "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def background(python: Path, module: str, *arguments: Any) -> Iterator[str]:
    """Run a server that prints its base URL once it is ready, as long as the block lasts."""
    command = [str(python), "-m", module, *map(str, arguments)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def alternated(contestants: Mapping[str, Callable[[], Measured]], rounds: int) -> Iterator[tuple[str, Measured]]:
    """Each contestant once per round, one after another, so that a busy moment of the machine falls on all."""
    for _ in range(rounds):
        for name, run in contestants.items():
            yield name, run()
