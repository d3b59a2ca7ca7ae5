"""`make attack`: every call that changes the disk is attacked, in all stories. Takes long.

    python -m tests.attack [--every 4] [--story night …] [--scope ours …] [--kind link …] [--number 3 …]

At each site the command is killed, and fails once with each error, one after another in the same place (which of them
finds it fresh goes round); then a clean run must make everything good. Prints what was done as a table, and what broke.
"""

import argparse
import errno
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.attack.shim import Attack, Ended, How, Kind, Scope, warm
from tests.attack.siege import Broken, Ground, Siege, survey
from tests.attack.stories import STORIES, Company, Story, company

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)
ALL_UP_TO = {Kind.WRITE: 12, Kind.CREATE: 6, Kind.UNLINK: 6}
"""Of what there is much and of one sort, only the first so many, and then `STEP` of them one."""
STEP = {Kind.WRITE: 16, Kind.CREATE: 3, Kind.UNLINK: 3}
SPREAD = 6
"""So many calls of each kind are attacked in Dagster's own databases, evenly spread, and of a disk that stays bad."""
WORKERS = 2
SCOPES = {Scope.OURS: "", Scope.DAGSTER: ", in Dagster's databases", Scope.WHOLE: ", the disk stays bad"}
ENDS = ("killed", "refused", "in part", "went through", "done before")
"""What became of the attacked command: ended by the kill, with status 1, 3 or 0, or done before the call came."""


class Front(NamedTuple):
    """One kind of call of one story."""

    story: Story
    scope: Scope
    kind: Kind

    def numbers(self, calls: int) -> list[int]:
        """At which of so many calls it is attacked."""
        if self.scope is not Scope.OURS:
            return sorted({1 + calls * turn // SPREAD for turn in range(SPREAD)}) if calls else []
        first = ALL_UP_TO.get(self.kind, calls)
        return [*range(1, min(first, calls) + 1), *range(first + 1, calls + 1, STEP.get(self.kind, 1))]

    def attacks(self, number: int) -> list[Attack]:
        """All attacks on one site, in turn; another one comes first at each site."""
        if self.scope is Scope.WHOLE:
            hows = [(How.FAIL_ON, error) for error in ERRORS]
        else:
            kill = How.KILL_HALFWAY if self.kind is Kind.WRITE else How.KILL_BEFORE
            hows = [(kill, 0), *((How.FAIL_ONCE, error) for error in ERRORS)]
        turn = number % len(hows)
        return [Attack(self.kind, number, how, error, self.scope) for how, error in hows[turn:] + hows[:turn]]


@dataclass
class Figures:
    """What was done at each front, and what broke."""

    calls: dict[Front, int] = field(default_factory=dict)
    sites: Counter[Front] = field(default_factory=Counter)
    ends: Counter[tuple[Front, str]] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def table(self) -> Iterator[str]:
        """As docs/reliability.md shows them: for each kind of call, how many of them were attacked."""
        kinds = " | ".join(kind.name.lower() for kind in Kind)
        yield f"| story | {kinds} | {' | '.join(ENDS)} |"
        yield f"|---|{'--:|' * (len(Kind) + len(ENDS))}"
        for story, scope in dict.fromkeys((front.story, front.scope) for front in self.calls):
            fronts = [Front(story, scope, kind) for kind in Kind]
            sites = " | ".join(f"{self.sites[front]} of {self.calls.get(front, 0):,}" for front in fronts)
            ends = " | ".join(f"{sum(self.ends[front, end] for front in fronts):,}" for end in ENDS)
            yield f"| {story.name}{SCOPES[scope]} | {sites} | {ends} |"


def end_of(ended: Ended) -> str:
    if not ended.struck:
        return "done before"
    return {-9: "killed", 0: "went through", 3: "in part"}.get(ended.status, "refused")


def besiege(company: Company, ground: Ground, front: Front, number: int, figures: Figures) -> None:
    """All attacks on one site, then the clean run."""
    siege = Siege(company, ground)
    for attack in front.attacks(number):
        ended = siege.attack(attack)
        if not ended.struck:  # what an earlier attack had left needed fewer calls: again, on fresh ground
            ended = siege.attack(attack)
        figures.ends[front, end_of(ended)] += 1
    siege.relieve()


def work(todo: "SimpleQueue[Front]", given: argparse.Namespace, figures: Figures, lock: threading.Lock) -> None:
    """One worker: its own warm command line, its own company, and whatever front is next."""
    grounds: dict[tuple[Story, Scope], Ground] = {}
    with warm() as process, TemporaryDirectory(prefix="attack-") as folder, company(process, Path(folder)) as place:
        while True:
            try:
                front = todo.get_nowait()
            except Empty:
                return
            ground = grounds.get(front[:2]) or survey(place, front.story, front.scope)
            grounds[front[:2]] = ground
            mine = Figures(calls={front: ground.ended.calls[front.kind]})
            for number in given.number or front.numbers(mine.calls[front])[:: given.every]:
                mine.sites[front] += 1
                try:
                    besiege(place, ground, front, number, mine)
                except Broken as broken:
                    mine.broken.append(str(broken))
                    print(f"BROKEN {broken}", flush=True)
            print(f"{front.story.name}{SCOPES[front.scope]}: {front.kind.name.lower()} done", file=sys.stderr)
            with lock:
                figures.calls |= mine.calls
                figures.sites += mine.sites
                figures.ends += mine.ends
                figures.broken += mine.broken


def fronts(given: argparse.Namespace) -> Iterator[Front]:
    for scope in given.scope or Scope:
        for story in given.story or STORIES:
            yield from (Front(story, scope, kind) for kind in given.kind or Kind)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack")
    stories = {story.name: story for story in STORIES}
    parser.add_argument("--every", type=int, default=1, help="only each so-many-th site")
    parser.add_argument("--story", type=stories.__getitem__, action="append", help=", ".join(stories))
    for name, choices in (("scope", Scope), ("kind", Kind)):
        words = ", ".join(choice.name.lower() for choice in choices)
        parser.add_argument(
            f"--{name}",
            type=lambda word, choices=choices: choices[word.upper()],  # type: ignore[misc]
            action="append",
            help=words,
        )
    parser.add_argument("--number", type=int, action="append", help="only the N-th call")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    figures, todo, lock = Figures(), SimpleQueue[Front](), threading.Lock()
    for front in fronts(given):
        todo.put(front)
    with ThreadPoolExecutor(WORKERS) as pool:
        for worker in [pool.submit(work, todo, given, figures, lock) for _ in range(WORKERS)]:
            worker.result()
    print(*figures.table(), sep="\n")
    attacks, sites = figures.ends.total(), figures.sites.total()
    print(f"{attacks:,} attacks at {sites:,} calls; {len(figures.broken):,} sites broken.")
    return 1 if figures.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
