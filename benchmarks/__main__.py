"""Everything, in one run, as tables on the screen and in README.md: `make bench`."""

import argparse
import os
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from benchmarks import nightly, report, startup
from benchmarks.measuring import Measured


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="alternating rounds of which medians are taken")
    rounds = parser.parse_args().rounds
    machine = report.machine(rounds, os.getloadavg()[0])
    tables = [
        report.sync_table(_grouped(nightly.compared(rounds)), nightly.million()),
        report.start_table(_grouped(startup.started(rounds))),
    ]
    report.write([machine, *tables])
    if find_spec("benchmarks.history"):
        import_module("benchmarks.history").main()


def _grouped(measurements: Iterable[tuple[str, Measured]]) -> dict[str, list[Measured]]:
    """By name, telling each as it comes."""
    groups: dict[str, list[Measured]] = {}
    for name, measured in measurements:
        groups.setdefault(name, []).append(measured)
        print(f"  {name}: {measured.seconds:.2f} s", flush=True)
    return groups


if __name__ == "__main__":
    main()
