"""The nightly sync: ours against the floor and the peer, and a million members through ours."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.environment import interpreter
from benchmarks.measuring import Measured, alternated, background, child

DAY = date(2026, 6, 1)
USERS, KEYS = 89_000, 29_000
MILLION = 1_000_000
PEER_ROUNDS = 1
"""The peer takes most of a minute; at that distance one round tells enough."""

OURS, FLOOR, PEER = "ours", "floor", "peer"


@contextmanager
def organization(users: int, keys: int) -> Iterator[str]:
    """The base URL of a server with that many members and keys, and the usage that two nights ask for."""
    first = DAY - timedelta(days=4)
    size = ["--users", users, "--keys", keys, "--days", first, DAY]
    with background(Path(sys.executable), "benchmarks.server", *size) as base_url:
        yield base_url


def compared(rounds: int) -> Iterator[tuple[str, Measured]]:
    """Whose measurement each is: ours and the floor in every round, the peer in the first."""
    bench = interpreter()
    with organization(USERS, KEYS) as base_url, TemporaryDirectory(prefix="license-bench-") as scratch:
        night_before = Path(scratch) / "before"
        _sync(Path(sys.executable), OURS, base_url, night_before, DAY - timedelta(days=1))
        contestants = {
            OURS: partial(_night, Path(sys.executable), OURS, base_url, night_before),
            FLOOR: partial(_night, bench, FLOOR, base_url, None),
        }
        yield from alternated(contestants, rounds)
        yield from alternated({PEER: partial(_night, bench, PEER, base_url, None)}, PEER_ROUNDS)


def million() -> Measured:
    """A first night with a million members."""
    with organization(MILLION, KEYS) as base_url:
        return _night(Path(sys.executable), OURS, base_url, None)


def _night(python: Path, contestant: str, base_url: str, night_before: Path | None) -> Measured:
    """One sync into a fresh folder, or on top of a copy of the night before."""
    with TemporaryDirectory(prefix="license-bench-") as scratch:
        folder = Path(scratch) / "data"
        if night_before:
            shutil.copytree(night_before, folder)
        return _sync(python, contestant, base_url, folder, DAY)


def _sync(python: Path, contestant: str, base_url: str, folder: Path, day: date) -> Measured:
    folder.mkdir(exist_ok=True)
    return child(python, f"benchmarks.contestants.{contestant}", base_url, folder, day)
