"""How long nothing takes: the commands' and Dagster's start, against an interpreter that does nothing."""

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.measuring import PROJECT, Measured, alternated

LICENSES = Path(sys.executable).parent / "licenses"
EMPTY = "python, nothing imported"
COMMANDS = {
    EMPTY: [sys.executable, "-c", "pass"],
    "licenses --help": [str(LICENSES), "--help"],
    "import pipelines.definitions": [sys.executable, "-c", "import pipelines.definitions"],
    "load the definitions": [sys.executable, "-c", "from pipelines.definitions import defs; defs()"],
}


def started(rounds: int) -> Iterator[tuple[str, Measured]]:
    """Each command, from its call to its end."""
    return alternated({name: partial(_timed, command) for name, command in COMMANDS.items()}, rounds)


def _timed(command: list[str]) -> Measured:
    begun = time.perf_counter()
    subprocess.run(command, cwd=PROJECT, stdout=subprocess.DEVNULL, check=True)
    return Measured({"start": time.perf_counter() - begun}, 0, 0)
