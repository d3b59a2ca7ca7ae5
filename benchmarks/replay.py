"""A month replayed: landings derived again in one run, each day against one night's derive."""

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measuring import child, in_turns
from benchmarks.nightly import DAY, serving
from benchmarks.report import Part, amount, cpu, failures, mebibytes, table, text, wall
from benchmarks.sizes import Sizes

MODULE = "benchmarks.contestants.replay"


def replay(sizes: Sizes) -> Part:
    """Nobody set a goal for it: a day of many should cost no more than a day alone."""
    with TemporaryDirectory(prefix="license-bench-") as folder:
        with serving(sizes.night) as base_url:
            landed = child(sys.executable, MODULE, "land", base_url, Path(folder), DAY, sizes.landings)
        assert not landed.failure, landed.failure
        numbers = {f"{sizes.landings} landings": sizes.landings, "one landing": 1}
        contestants = {
            name: partial(child, sys.executable, MODULE, "derive", folder, DAY, n) for name, n in numbers.items()
        }
        groups = in_turns(contestants, sizes.rounds)
    *_, one = groups.values()
    rows = [
        [
            f"{name}, {sizes.night}",
            amount(cpu(groups[name]), "s"),
            amount(wall(groups[name]), "s"),
            amount(cpu(groups[name]) / number, "s"),
            amount(cpu(groups[name]) / number / cpu(one), "×"),
            amount(mebibytes(groups[name]), "MiB"),
        ]
        for name, number in numbers.items()
    ]
    head = ["derived again in one run", "CPU", "time", "CPU a day", "to one night's derive", "peak memory"]
    return Part("Replay of a month", text(table(head, rows), failures(groups)), [])
