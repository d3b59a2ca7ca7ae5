"""Everything, in one run: `make bench` puts the tables into README.md, `make bench-quick` only prints smaller ones."""

import argparse
import os
from dataclasses import replace

from benchmarks import growth, history, nightly, questions, replay, report, startup
from benchmarks.report import Part
from benchmarks.sizes import FULL, QUICK, Sizes
from benchmarks.years import past

PARTS = ("night", "first-night", "replay", "history", "growth", "startup")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, once, and only to the screen")
    parser.add_argument("--rounds", type=int, help="rounds in turns of which medians are taken")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts, only to the screen")
    options = parser.parse_args()
    sizes = QUICK if options.quick else FULL
    sizes = replace(sizes, rounds=options.rounds or sizes.rounds)
    load = os.getloadavg()[0]
    told = report.told(measured(sizes, options.only), sizes.rounds, load)
    print(f"\n{told}\n")
    if not options.quick and set(options.only) == set(PARTS):
        report.write(told)


def measured(sizes: Sizes, only: tuple[str, ...] | list[str] = PARTS) -> list[Part]:
    """The parts, in the order in which they are told."""
    parts = []
    for name, part in (("night", nightly.night), ("first-night", nightly.first_night), ("replay", replay.replay)):
        if name in only:
            print(name, flush=True)
            parts.append(part(sizes))
    if {"history", "growth"} & set(only):
        with past(sizes) as one:
            if "history" in only:
                parts += [history.history(one), questions.questions(one)]
            if "growth" in only:
                parts.append(growth.growth(one))
    if "startup" in only:
        parts.append(startup.startup(sizes))
    return parts


if __name__ == "__main__":
    main()
