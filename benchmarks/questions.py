"""Questions: a day of the snapshots, and every question of the cookbook, asked of the history."""

import sys
from math import inf

from benchmarks.measuring import child
from benchmarks.report import Goal, Part, amount, at_most, table
from benchmarks.years import Past

DAY = "date '2026-03-31'"
OF_SNAPSHOTS = {
    "a day of license_snapshots, counted": f"select count(*) from license_snapshots where snapshot_date = {DAY}",
    "a day of license_snapshots, all columns": f"from license_snapshots where snapshot_date = {DAY}",
    "licenses_on(day), counted": f"select license_type, count(*) from licenses_on({DAY}) group by all",
    "licenses_on(day), all columns": f"from licenses_on({DAY})",
}
WANTED = 200
"""Milliseconds."""


def questions(past: Past) -> Part:
    """The best of five, each through a connection of its own; of the cookbook's, those that miss are shown.

    Of clock and CPU the lesser counts: on a quiet machine two cores answer sooner than one, and a busy one waits.
    """
    asked = child(sys.executable, "benchmarks.contestants.analyst", past.data(past.sizes.history).root.parent)
    print(f"  {len(asked.steps)} questions asked {asked.failure}", flush=True)
    took = dict.fromkeys(OF_SNAPSHOTS, inf) | {question: 1000 * min(spent) for question, spent in asked.steps.items()}
    of_cookbook = {question: ms for question, ms in took.items() if question not in OF_SNAPSHOTS}
    slow = {question: ms for question, ms in of_cookbook.items() if ms > WANTED}
    shown = {question: took[question] for question in OF_SNAPSHOTS}
    shown |= dict(sorted(slow.items(), key=lambda item: item[1], reverse=True))
    rest = [ms for question, ms in of_cookbook.items() if question not in slow]
    others = f"The cookbook's other {len(rest)} questions take {amount(max(rest, default=inf), 'ms')} at most."
    return Part(
        f"Questions, asked of {past.sizes.holders:,} holders x {past.sizes.history:,} days",
        f"{table(['question', 'answered in'], [[name, amount(ms, 'ms')] for name, ms in shown.items()])}\n\n{others}",
        [
            *(at_most(question, WANTED, took[question], "ms") for question in OF_SNAPSHOTS),
            Goal(
                f"each of the cookbook's {len(of_cookbook)} questions",
                f"≤ {WANTED} ms",
                f"{len(slow)} take longer, {amount(max(of_cookbook.values(), default=inf), 'ms')} the slowest",
                bool(of_cookbook) and not slow,
            ),
        ],
    )
