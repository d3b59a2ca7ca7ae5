"""Growth: what one more night costs after a month, a year, and three years."""

from functools import partial

from benchmarks.measuring import Measured, in_turns
from benchmarks.report import Part, amount, at_most, cpu, failures, mebibytes, table, text, wall
from benchmarks.years import Past, copy_of, night_after


def growth(past: Past) -> Part:
    """The copy of the file apart, which grows with the years whatever is done."""
    marks = past.sizes.marks
    lacking = [days for days in marks if not past.data(days).warehouse.exists()]
    groups = in_turns({f"build of {days:,} days": partial(past.build, days) for days in lacking}, 1)
    nights = {
        name: [Measured({}, failure="no warehouse was built")]
        for days in marks
        for name in (copy_of(days), night_after(days))
    }
    nights |= past.nights([days for days in marks if past.data(days).warehouse.exists()])
    beyond = {days: cpu(nights[night_after(days)]) - cpu(nights[copy_of(days)]) for days in marks}
    first, last = marks[0], marks[-1]
    rows = [
        [
            f"{days:,} days",
            amount(cpu(nights[night_after(days)]), "s"),
            amount(wall(nights[night_after(days)]), "s"),
            amount(cpu(nights[copy_of(days)]), "s"),
            amount(beyond[days], "s"),
            amount(beyond[days] / beyond[first], "×"),
            amount(mebibytes(nights[night_after(days)]), "MiB"),
        ]
        for days in marks
    ]
    head = ["one more night after", "CPU", "time", "CPU of a copy", "CPU beyond it", f"to {first} days", "peak memory"]
    return Part(
        f"Growth: one more night of {past.sizes.holders:,} holders, with usage",
        text(table(head, rows), failures(groups | nights)),
        [at_most(f"one more night after {last:,} days, to one after {first}", 1.3, beyond[last] / beyond[first])],
    )
