"""The history: built from all files, and one more day on top of it."""

from functools import partial

from benchmarks.measuring import Measured, in_turns
from benchmarks.report import Part, amount, at_most, cpu, failures, mebibytes, table, text, wall
from benchmarks.years import Past, copy_of, night_after


def history(past: Past) -> Part:
    """Against one hash over all rows that it is made of, and against a copy of the file."""
    days = past.sizes.history
    groups = in_turns({"floor": partial(past.hash, days), "build": partial(past.build, days)}, past.sizes.rounds)
    floor, built = groups["floor"], groups["build"]
    groups |= past.nights([days])
    copied, night = groups[copy_of(days)], groups[night_after(days)]
    rows = [
        _row("floor: one hash over all rows of snapshots and usage", floor, floor),
        _row("the warehouse, built from all files", built, floor),
        _row("the file copied", copied, None),
        _row("one more day, published", night, None),
    ]
    sizes = f"Files: {past.megabytes(days):,.0f} MB"
    if past.data(days).warehouse.exists():
        sizes += f"; the warehouse: {past.data(days).warehouse.stat().st_size / 1e6:,.0f} MB"
    goals = [
        at_most("history, built from files, to one hash over its rows", 3, cpu(built) / cpu(floor)),
        at_most("one more day on it, published, beyond the copy of the file", 2, cpu(night) - cpu(copied), "s"),
    ]
    return Part(
        f"The history: {past.sizes.holders:,} holders, {days:,} days, with usage",
        text(table(["work", "CPU", "time", "to the floor", "peak memory"], rows), f"{sizes}.", failures(groups)),
        goals,
    )


def _row(label: str, measured: list[Measured], floor: list[Measured] | None) -> list[str]:
    ratio = amount(cpu(measured) / cpu(floor), "×") if floor else ""
    return [label, amount(cpu(measured), "s"), amount(wall(measured), "s"), ratio, amount(mebibytes(measured), "MiB")]
