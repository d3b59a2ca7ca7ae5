"""The nightly sync and the first night: ours against the floor and the peer; a million members through ours."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from assets.days import LOOK_BACK_DAYS, TRAILING_DAYS
from benchmarks.environment import interpreter
from benchmarks.measuring import Groups, Measured, background, child, in_turns
from benchmarks.report import (
    Goal,
    Part,
    amount,
    at_least,
    at_most,
    cpu,
    failures,
    mebibytes,
    rows_read,
    table,
    text,
    wall,
)
from benchmarks.sizes import Organization, Sizes

DAY = date(2026, 6, 1)
TO_PARQUET = ("observe", "derive")
STEPS = (*TO_PARQUET, "publish")
HEAD = ["work", "rows read", "CPU", "time", "to the floor", "peak memory"]


@contextmanager
def serving(size: Organization) -> Iterator[str]:
    """The base URL of a server with that many members and keys."""
    words = ["--users", size.users, "--keys", size.keys]
    with background(sys.executable, "benchmarks.server", *words) as base_url:
        yield base_url


def night(sizes: Sizes) -> Part:
    """A night on top of the one before it, and a million members."""
    with serving(sizes.night) as base_url, TemporaryDirectory(prefix="license-bench-") as scratch:
        before = Path(scratch) / "before"
        before.mkdir()
        _sync(sys.executable, "ours", base_url, before, DAY - timedelta(days=1), TRAILING_DAYS)
        contestants = {
            "ours": partial(_night, sys.executable, "ours", base_url, TRAILING_DAYS, before),
            "floor": partial(_night, interpreter(), "floor", base_url, TRAILING_DAYS),
        }
        groups = in_turns(contestants, sizes.rounds)
        # The peer takes most of a minute; at that distance one round tells enough.
        groups |= in_turns({"peer": partial(_night, interpreter(), "peer", base_url, TRAILING_DAYS)}, 1)
    with serving(sizes.million) as base_url:
        groups |= in_turns({"million": partial(_night, sys.executable, "ours", base_url, TRAILING_DAYS)}, 1)
    return night_part(sizes, groups)


def first_night(sizes: Sizes) -> Part:
    """The first night, which asks for 90 days of usage."""
    with serving(sizes.night) as base_url:
        contestants = {
            "ours": partial(_night, sys.executable, "ours", base_url, LOOK_BACK_DAYS),
            "floor": partial(_night, interpreter(), "floor", base_url, LOOK_BACK_DAYS),
        }
        groups = in_turns(contestants, sizes.rounds)
    with serving(sizes.memory) as base_url:
        groups |= in_turns({"memory": partial(_night, sys.executable, "ours", base_url, LOOK_BACK_DAYS)}, 1)
    return first_night_part(sizes, groups)


def night_part(sizes: Sizes, groups: Groups) -> Part:
    """Each contestant's time and memory, as ratios to the floor of the same run; then where our time goes."""
    ours, floor, peer, million = (groups[name] for name in ("ours", "floor", "peer", "million"))
    rows = [
        _row(f"floor: {sizes.night}, httpx + orjson + Arrow + Parquet, no checks", floor, floor),
        _row(f"ours: {sizes.night}, observe + derive + publish", ours, floor),
        _part_of("of it, up to Parquet as the floor", ours, floor),
        _row(f"peer: {sizes.night}, dlt `rest_api` into DuckDB", peer, floor),
        _row(f"ours: {sizes.million}, a first night that asks for {TRAILING_DAYS} days", million, None),
    ]
    goals = [
        at_most("night, up to Parquet, to its floor", 1.5, cpu(ours, *TO_PARQUET) / cpu(floor)),
        at_most("night, warehouse published and checked, to its floor", 3, cpu(ours) / cpu(floor)),
        at_least("night, the peer's CPU to ours", 5, cpu(peer) / cpu(ours)),
        _within_a_gibibyte(f"peak memory, {sizes.million}", million),
    ]
    columns = {"night": ours, f"{sizes.million.users:,} members": million}
    return Part("The nightly sync", text(table(HEAD, rows), failures(groups), _steps(columns)), goals)


def first_night_part(sizes: Sizes, groups: Groups) -> Part:
    """The same for a first night, against a floor that asks for as many days of usage."""
    ours, floor, memory = (groups[name] for name in ("ours", "floor", "memory"))
    rows = [
        _row(f"floor: {sizes.night}", floor, floor),
        _row(f"ours: {sizes.night}, observe + derive + publish", ours, floor),
        _part_of("of it, up to Parquet as the floor", ours, floor),
        _row(f"ours: {sizes.memory}", memory, None),
    ]
    goals = [
        at_most(f"first night, {LOOK_BACK_DAYS} days of usage, to its floor", 2, cpu(ours) / cpu(floor)),
        _within_a_gibibyte(f"peak memory, first night, {sizes.memory}", memory),
    ]
    told = text(table(HEAD, rows), failures(groups), _steps({"first night": ours, str(sizes.memory): memory}))
    return Part(f"The first night, with {LOOK_BACK_DAYS} days of usage", told, goals)


def _row(label: str, measured: list[Measured], floor: list[Measured] | None) -> list[str]:
    spent = [amount(cpu(measured), "s"), amount(wall(measured), "s")]
    ratio = amount(cpu(measured) / cpu(floor), "×") if floor else ""
    return [label, rows_read(measured), *spent, ratio, amount(mebibytes(measured), "MiB")]


def _part_of(label: str, ours: list[Measured], floor: list[Measured]) -> list[str]:
    spent = cpu(ours, *TO_PARQUET)
    return [label, "", amount(spent, "s"), amount(wall(ours, *TO_PARQUET), "s"), amount(spent / cpu(floor), "×"), ""]


def _steps(columns: Groups) -> str:
    """Where our time goes, as CPU seconds."""
    rows = [[step, *(amount(cpu(measured, step), "s") for measured in columns.values())] for step in STEPS]
    return table(["CPU of our steps", *columns], rows)


def _within_a_gibibyte(name: str, measured: list[Measured]) -> Goal:
    return at_most(name, 1024, mebibytes(measured), "MiB")


def _night(python: Path | str, contestant: str, base_url: str, days: int, night_before: Path | None = None) -> Measured:
    """One sync into a fresh folder, or on top of a copy of the night before."""
    with TemporaryDirectory(prefix="license-bench-") as scratch:
        folder = Path(scratch) / "data"
        if night_before:
            shutil.copytree(night_before, folder)
        else:
            folder.mkdir()
        return _sync(python, contestant, base_url, folder, DAY, days)


def _sync(python: Path | str, contestant: str, base_url: str, folder: Path, day: date, days: int) -> Measured:
    return child(python, f"benchmarks.contestants.{contestant}", base_url, folder, day, days)
