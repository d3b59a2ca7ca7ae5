"""One attack after another on one story, and what must hold after each.

After an attack an open reader goes on, whoever comes anew finds the state before or the state after and nothing in
between, and the command was killed or says in a sentence what is wrong. After the next clean run everything is as if
nothing had happened: the same rows, the same audit entries, and no path that would not be there.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from tests.attack.shim import Attack, Ended, Scope
from tests.attack.state import Rows, State, read, state
from tests.attack.stories import Company, Story

SQLITE = "disk i/o error|disk is full|readonly database|unable to open database"
TROUBLE = {
    errno.ENOSPC: "no space left|the disk is full",
    errno.EIO: "input/output error|disk reports an error",
    errno.EROFS: "read-only",
}
"""How the system and we call it; SQLite has words of its own, and of a sync DuckDB tells only that it failed."""
CLOSED_ALREADY = re.compile(r"was closed on \d{4}-\d{2}-\d{2} by Ada")


class Broken(AssertionError):
    """Something that must hold does not: the story, the attack, and what was found."""


@dataclass(frozen=True)
class Ground:
    """What an unattacked run finds and leaves, and the calls that it makes."""

    story: Story
    before: State
    after: State
    ended: Ended


def survey(company: Company, story: Story, scope: Scope = Scope.OURS) -> Ground:
    """Run the story unattacked."""
    data = company.fresh(story)
    before = state(data)
    ended = company.run(story, data, Attack(scope=scope))
    assert ended.status == 0, f"{story.name}: {ended.err}"
    return Ground(story, before, state(data), ended)


class Siege:
    """A fresh place of a story, attacked as often as one likes; then `relieve` it."""

    def __init__(self, company: Company, ground: Ground) -> None:
        self._company, self._ground = company, ground
        self._begin()

    def _begin(self) -> None:
        self._data = self._company.fresh(self._ground.story)
        self._attacks: list[Attack] = []
        self._done = False

    def attack(self, attack: Attack) -> Ended:
        """Run the story under the attack, and check what must hold right after it.

        Where an earlier attack left nothing to do, the story is checked to its end, and begun again.
        """
        if self._done:
            self.relieve()
            self._begin()
        self._attacks.append(attack)
        with self._open_reader():
            ended = self._company.run(self._ground.story, self._data, attack)
        now = self._state(ended)
        self._check_state(now, ended)
        self._check_words(now, ended, attack)
        self._done = now.relations == self._ground.after.relations
        return ended

    def relieve(self) -> None:
        """Run the story once more, unattacked: it must end well, and leave what an unattacked run leaves."""
        ended = self._company.run(self._ground.story, self._data)
        closed = self._ground.story.name == "close" and CLOSED_ALREADY.search(ended.err)
        self._require(ended.status == 0 or closed, f"the next clean run ended with {ended.status}: {ended.err}")
        now, after = self._state(ended), self._ground.after
        self._require(now.relations == after.relations, f"rows differ from the truth: {_differing(now, after)}")
        left, missing = sorted(now.paths - after.paths), sorted(after.paths - now.paths)
        self._require(not left, f"the next clean run leaves {left}")
        self._require(not missing, f"after the next clean run there is no {missing}")
        wrong = [name for name in after.files if now.files[name] != after.files[name]]
        self._require(not wrong, f"files say something else than the truth: {wrong}")

    @contextmanager
    def _open_reader(self) -> Iterator[None]:
        """Somebody has the warehouse open all the while, and reads the same before and after."""
        place = self._data / "warehouse.duckdb"
        if not place.exists():
            yield
            return
        with duckdb.connect(str(place), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            before = read(connection)
            yield
            self._require(read(connection) == before, "the open reader reads something else than before")

    def _state(self, ended: Ended) -> State:
        try:
            return state(self._data)
        except Exception as error:
            raise self._broken(f"what is published cannot be read: {error}", ended) from error

    def _check_state(self, now: State, ended: Ended) -> None:
        before, after = self._ground.before, self._ground.after
        whole = now.relations in (before.relations, after.relations)
        self._require(whole, f"the warehouse is neither as before nor as after: {_differing(now, after)}", ended)
        for name, contents in now.files.items():
            expected = before.files.get(name), after.files.get(name)
            self._require(contents in expected, f"{name} is neither as before nor as after", ended)
        lost = sorted(name for name in before.files if name not in now.files and name in after.files)
        self._require(not lost, f"published files are gone: {lost}", ended)

    def _check_words(self, now: State, ended: Ended, attack: Attack) -> None:
        if not ended.struck:
            return
        if attack.kills:
            return self._require(ended.status == -9, f"it was not killed, but ended with {ended.status}", ended)
        if ended.status == 0:
            return self._require(now.relations == self._ground.after.relations, "status 0, but not published", ended)
        self._require(ended.status in (1, 2, 3), f"it ended with {ended.status}", ended)
        sentence = re.search("^licenses: ", ended.err, re.MULTILINE) and "Traceback" not in ended.err
        self._require(sentence, "what it says is no sentence", ended)
        words = f"{TROUBLE[attack.error]}|fsync failed" + (f"|{SQLITE}" if attack.scope is not Scope.OURS else "")
        self._require(re.search(words, ended.err, re.IGNORECASE), "its sentence does not name the trouble", ended)
        if re.search("Nothing was published|The old one stands", ended.err):
            self._require(now.relations == self._ground.before.relations, "it says so, but something was", ended)

    def _require(self, holds: Any, sentence: str, ended: Ended | None = None) -> None:
        if not holds:
            raise self._broken(sentence, ended)

    def _broken(self, sentence: str, ended: Ended | None = None) -> Broken:
        told = f" [at {ended.where}; status {ended.status}; it said: {ended.err.strip()}]" if ended else ""
        return Broken(f"{self._ground.story.name}, {', then '.join(map(str, self._attacks))}: {sentence}{told}")


def _differing(now: State, truth: State) -> str:
    if now.relations is None or truth.relations is None:
        return "there is none" if now.relations is None else "there should be none"
    return "; ".join(
        f"{name}: {len(_only(rows, truth.relations.get(name, [])))} too many, "
        f"{len(_only(truth.relations.get(name, []), rows))} missing"
        for name, rows in now.relations.items()
        if rows != truth.relations.get(name)
    )


def _only(rows: Rows, others: Rows) -> Rows:
    return [row for row in rows if row not in others]
