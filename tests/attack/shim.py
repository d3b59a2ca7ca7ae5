"""The shim compiled, and the real command line under it: what is attacked, where, and what became of it."""

import errno
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
COMPILER = shutil.which("cc")
_NO_THREADS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Importing numpy and pyarrow starts none, so that the process can be forked."""
_TOLD = struct.Struct("=8qq512s")


class Kind(IntEnum):
    """A call that changes the disk; as in shim.c."""

    RENAME, FSYNC, MKDIR, LINK, WRITE, CREATE, UNLINK, TRUNCATE = range(8)


class How(IntEnum):
    NOTHING, KILL_BEFORE, KILL_AFTER, KILL_HALFWAY, FAIL_ONCE, FAIL_ON = range(6)


class Scope(IntEnum):
    """Whose calls count: our own, those of Dagster's databases, or both as one disk."""

    OURS, DAGSTER, WHOLE = range(3)


@dataclass(frozen=True)
class Attack:
    """The N-th call of a kind, and what happens there. The default counts only."""

    kind: Kind | None = None
    number: int = 0
    how: How = How.NOTHING
    error: int = 0
    scope: Scope = Scope.OURS

    @property
    def kills(self) -> bool:
        return self.how in (How.KILL_BEFORE, How.KILL_AFTER, How.KILL_HALFWAY)

    def __str__(self) -> str:
        if self.kind is None:
            return "no attack"
        what = {
            How.KILL_BEFORE: "killed before",
            How.KILL_AFTER: "killed after",
            How.KILL_HALFWAY: "killed halfway through",
            How.FAIL_ONCE: f"{errno.errorcode.get(self.error)} once at",
            How.FAIL_ON: f"{errno.errorcode.get(self.error)} from then on, at",
        }[self.how]
        where = {Scope.OURS: "", Scope.DAGSTER: " under dagster/", Scope.WHOLE: " of the whole disk"}[self.scope]
        return f"{what} {self.kind.name.lower()} {self.number}{where}"


UNATTACKED = Attack()


@dataclass(frozen=True)
class Ended:
    """What became of one command: its status (negative: the signal), and the calls that were counted."""

    status: int
    out: str
    err: str
    calls: Mapping[Kind, int]
    struck: int
    where: str


class Warm:
    """A warm process of the command line, that is forked for each command."""

    def __init__(self, process: "subprocess.Popen[str]", scratch: Path) -> None:
        self._process, self._scratch = process, scratch

    def run(self, words: Sequence[str], data: Path, environment: Mapping[str, str], attack: Attack) -> Ended:
        """Run `licenses` with these words on a data directory, under an attack."""
        counts, output, errors = (self._scratch / name for name in ("counts", "output", "errors"))
        counts.unlink(missing_ok=True)
        kind = -1 if attack.kind is None else attack.kind
        command = {
            "words": list(words),
            "folder": str(data.parent),
            "environment": dict(environment),
            "output": str(output),
            "errors": str(errors),
            "arm": [str(data), str(counts), attack.scope, kind, attack.number, attack.how, attack.error],
        }
        status = int(self._ask(json.dumps(command)))
        *calls, struck, where = _TOLD.unpack(counts.read_bytes())
        return Ended(
            status,
            output.read_text(),
            errors.read_text(),
            dict(zip(Kind, calls, strict=True)),
            struck,
            where.rstrip(b"\0").decode(),
        )

    def _ask(self, line: str) -> str:
        stdin, stdout = _streams(self._process)
        stdin.write(line + "\n")
        stdin.flush()
        return stdout.readline()


@contextmanager
def warm() -> Iterator[Warm]:
    """A warm command line, under the shim, for as long as the block runs."""
    with TemporaryDirectory(prefix="attack-") as folder:
        shim = compile_shim(Path(folder))
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(HERE / "warm.py")],
            env=_without_settings() | _NO_THREADS | {"LD_PRELOAD": str(shim), "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert _streams(process)[1].readline() == "ready\n"
            yield Warm(process, Path(folder))


def compile_shim(folder: Path) -> Path:
    """The shim as a library that can be preloaded."""
    assert COMPILER, "there is no C compiler (cc) here"
    library = folder / "shim.so"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O2", "-o", library, HERE / "shim.c", "-ldl"], check=True)
    return library


def _streams(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    assert process.stdin
    assert process.stdout
    return process.stdin, process.stdout


def _without_settings() -> dict[str, str]:
    """Whoever attacks may have real keys in their environment."""
    ours = ("ANTHROPIC_", "LICENSES_", "DAGSTER_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
