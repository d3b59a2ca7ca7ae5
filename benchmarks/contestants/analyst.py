"""Whoever asks the warehouse: each question of the cookbook as the page has it, and a day of the snapshots.

`python -m benchmarks.contestants.analyst <folder>`: in the folder lies `data/`. Each question is asked through a fresh
connection, five times where it is quick, of which the best counts: that is what other work got least into the way of.
People whom a question names are one of the past's own; a command's time is what it takes beyond its start.
"""

import io
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stdout
from functools import partial
from math import inf
from pathlib import Path
from threading import Timer

import duckdb

from benchmarks.measuring import Spent, Stopwatch
from benchmarks.questions import OF_SNAPSHOTS
from tests.docs.recipes import COOKBOOK, Recipe, recipes

TIMES = 5
QUICK = 1
"""Seconds: what takes longer is asked once."""
PATIENCE = 60
"""Seconds: what takes longer is broken off, and told as having taken so long."""
BOUND = "set memory_limit = '4GB'"
"""As on an analyst's machine."""
LICENSES = str(Path(sys.executable).parent / "licenses")
PERSON = re.compile(r"[\w.]+@(?:example\.com|partner\.example)")
SOMEBODY = "holder.5@example.com"


def questions(text: str) -> Iterator[tuple[str, Callable[[], Spent]]]:
    """Each question with what asks it once and tells what that took."""
    for name, query in OF_SNAPSHOTS.items():
        yield name, partial(_asked, query, "data/warehouse.duckdb")
    told: dict[str, int] = {}
    for recipe in recipes(text):
        told[recipe.question] = told.get(recipe.question, 0) + 1
        number = f" ({told[recipe.question]})" if told[recipe.question] > 1 else ""
        yield f"{recipe.question}{number}", _as_asked(recipe)


def best(ask: Callable[[], Spent]) -> Spent:
    """The least of both; without end where there was no answer."""
    least = Spent(inf, inf)
    try:
        for _ in range(TIMES):
            least = Spent(*map(min, least, ask()))
            if least.wall > QUICK:
                break
    except (duckdb.Error, subprocess.CalledProcessError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return Spent(inf, inf)
    return least


def _as_asked(recipe: Recipe) -> Callable[[], Spent]:
    code = PERSON.sub(SOMEBODY, recipe.code)
    match recipe.kind:
        case "console":
            return partial(_beyond_start, shlex.split(code.removeprefix("$ licenses ")))
        case "python":
            return partial(_run, compile(code, recipe.question, "exec"))
        case "sql":
            return partial(_asked, code, "data/warehouse.duckdb")
    return partial(_asked, code, ":memory:")


def _asked(query: str, place: str) -> Spent:
    begun = Spent.until_now()
    with duckdb.connect(place, read_only=place != ":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(BOUND)
        timer = Timer(PATIENCE, connection.interrupt)
        timer.start()
        try:
            connection.sql(query).to_arrow_table()
        except duckdb.InterruptException:
            pass
        finally:
            timer.cancel()
    return Spent.until_now().less(begun)


def _run(code: object) -> Spent:
    begun = Spent.until_now()
    with redirect_stdout(io.StringIO()):
        exec(code, {})  # type: ignore[arg-type]
    return Spent.until_now().less(begun)


def _beyond_start(words: list[str]) -> Spent:
    return _called(["--data-dir", "data", *words]).less(_called(["--help"]))


def _called(words: list[str]) -> Spent:
    begun = Spent.until_now()
    subprocess.run([LICENSES, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return Spent.until_now().less(begun)


def main() -> None:
    (folder,) = sys.argv[1:]
    watch = Stopwatch()
    with chdir(folder):
        for question, ask in questions(COOKBOOK.read_text(encoding="utf-8")):
            watch.steps[question] = best(ask)
    watch.tell()


if __name__ == "__main__":
    main()
