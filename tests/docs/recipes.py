"""The cookbook as a program: its questions, what each of them runs, and what that prints.

A block of `sql` is asked of the warehouse, read-only; one of `sql without the warehouse` of an empty DuckDB; one of
`python` is run; in one of `console` the line after `$` is a `licenses` command. All of them in the folder in which
`data/` lies. The block of `text` after it holds what it prints.
"""

import io
import re
import shlex
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.commandline import Operator

COOKBOOK = Path(__file__).parents[2] / "docs" / "cookbook.md"
WIDTH = 100
_BLOCK = re.compile(
    r"^```(sql without the warehouse|sql|python|console)\n(.*?)^```\n\n```text\n(.*?)^```\n", re.M | re.S
)


@dataclass(frozen=True)
class Recipe:
    """One block that can be run, under the heading of its question."""

    question: str
    kind: str
    code: str
    printed: str


def recipes(text: str) -> list[Recipe]:
    """Every block of the cookbook that is followed by what it prints."""
    return [Recipe(_heading(text, found.start()), *found.groups()) for found in _BLOCK.finditer(text)]


def written_anew(text: str, run: Callable[[Recipe], str]) -> str:
    """The cookbook with what its blocks print now."""

    def anew(found: re.Match[str]) -> str:
        recipe = Recipe(_heading(text, found.start()), *found.groups())
        return f"```{recipe.kind}\n{recipe.code}```\n\n```text\n{run(recipe)}```\n"

    return _BLOCK.sub(anew, text)


def run(recipe: Recipe, operator: Operator) -> str:
    """What the block prints in the operator's folder."""
    if recipe.kind == "console":
        finished = operator(*shlex.split(recipe.code.removeprefix("$ licenses ")))
        assert finished.status == 0, finished.err
        return _lines(finished.out)
    with chdir(operator.folder):
        if recipe.kind == "python":
            with redirect_stdout(io.StringIO()) as printed:
                exec(compile(recipe.code, recipe.question, "exec"), {})
            return _lines(printed.getvalue())
        place = ":memory:" if recipe.kind.endswith("without the warehouse") else "data/warehouse.duckdb"
        with duckdb.connect(place, read_only=place != ":memory:") as connection:
            connection.execute("set TimeZone = 'UTC'")
            return _table(connection.sql(recipe.code))


def _heading(text: str, place: int) -> str:
    return re.findall(r"^### (.*)", text[:place], re.M)[-1]


def _table(rows: duckdb.DuckDBPyRelation) -> str:
    """Rows as aligned text, numbers to the right; null is an empty place."""
    numbers = {place for place, kind in enumerate(rows.types) if re.match(r".*(INT|DECIMAL|DOUBLE)", str(kind))}
    cells = [rows.columns, *([_cell(value) for value in row] for row in rows.fetchall())]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    lines = (
        "  ".join(
            cell.rjust(width) if place in numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    )
    return _lines("\n".join(lines))


def _lines(text: str) -> str:
    """Without what nobody sees: spaces at the end of lines, empty lines before and after."""
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())


def _cell(value: object) -> str:
    return "" if value is None else str(value)
