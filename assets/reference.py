"""The small files that people edit, as typed rows: strict, with comments, and refused with file and line.

A frozen dataclass declares a file: its fields are the columns in their order, one with a default may be left out of
the file, one that may be None may be empty. The tables that the warehouse makes of such a file follow from the same
declaration. A line that begins with `#` is a comment, wherever it stands. A missing file is an empty one.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import pyarrow as pa

from assets.columns import DAY, TEXT
from assets.errors import BadReference


@dataclass(frozen=True)
class Line:
    """Where a row stands."""

    file: str
    number: int

    def refused(self, why: str) -> BadReference:
        return BadReference(f"{self.file}, line {self.number}: {why}")


@dataclass(frozen=True)
class Row:
    """What one line says; subclasses declare its columns."""

    line: Line


class Dated(Row):
    """A row that holds from a day (inclusive) to a day (exclusive); None is without end."""

    valid_from: date | None
    valid_to: date | None

    @property
    def start(self) -> date:
        return self.valid_from or date.min

    @property
    def end(self) -> date:
        return self.valid_to or date.max


@dataclass(frozen=True, eq=False)
class Cell:
    """How a kind of cell is written, and what it is in a table; `parse` raises ValueError."""

    wanted: str = ""
    parse: Callable[[str], object] = str
    kind: pa.DataType = TEXT
    words: Mapping[str, object] = field(default_factory=dict)
    """What some words mean, whatever `parse` would make of them."""
    header: str | None = None
    """The column's name in the file, where it is not the field's."""


def decimals(places: int) -> Cell:
    """A number that is not negative, with at most so many decimals."""

    def parse(cell: str) -> Decimal:
        number = Decimal(cell)
        if number >= 10**9 or number != round(number, places):
            raise ValueError(cell)
        return number

    wanted = f"a number such as 20.50, below a billion and with at most {places} decimals"
    return Cell(wanted, _written(r"\d+(\.\d+)?", parse), pa.decimal128(18, places))


def _written(pattern: str, parse: Callable[[str], object]) -> Callable[[str], object]:
    """A parser that takes no other spelling than the pattern's."""

    def parsed(cell: str) -> object:
        if not re.fullmatch(pattern, cell):
            raise ValueError(cell)
        return parse(cell)

    return parsed


Currency = Annotated[str, Cell("three capital letters such as USD", _written("[A-Z]{3}", str))]
_BY_TYPE = {
    str: Cell(),
    bool: Cell("true or false", _written("(?i)true|false", lambda cell: cell.lower() == "true"), pa.bool_()),
    date: Cell("a date such as 2026-10-01", _written(r"\d{4}-\d{2}-\d{2}", date.fromisoformat), DAY),
}

AnyRow = TypeVar("AnyRow", bound=Row)
AnyDated = TypeVar("AnyDated", bound=Dated)


def read_rows(path: Path, shape: type[AnyRow]) -> list[AnyRow]:
    """What a file says, line by line; nothing where there is no such file.

    Raises:
        BadReference: the file cannot be read, its columns are others, or a cell cannot be meant.
    """
    if not path.exists():
        return []
    cells = _cells(shape)
    return [_row(shape, cells, line, texts) for line, texts in _lines(path, shape)]


def table(shape: type[Row], rows: Iterable[Row]) -> pa.Table:
    """The rows under the names of their fields."""
    return pa.Table.from_pylist([vars(row) for row in rows], table_columns(shape))


def table_columns(shape: type[Row]) -> pa.Schema:
    return pa.schema([(name, cell.kind) for name, cell in _cells(shape).items()])


def refuse_overlaps(rows: Iterable[AnyDated], same: Callable[[AnyDated], str]) -> None:
    """Of rows that tell the `same`, no two may hold on the same day.

    Raises:
        BadReference: two do.
    """
    groups: dict[str, list[AnyDated]] = defaultdict(list)
    for row in rows:
        groups[same(row)].append(row)
    for what, group in groups.items():
        for earlier, later in pairwise(sorted(group, key=lambda row: (row.start, row.line.number))):
            if later.start < earlier.end:
                first, second = sorted((earlier.line, later.line), key=lambda line: line.number)
                when = f"on {later.start}" if later.valid_from else "from the beginning"
                raise second.refused(
                    f"{what} overlaps with line {first.number}: both hold {when}. valid_to is the first day on which "
                    "a line holds no more."
                )


def _cells(shape: type[Row]) -> dict[str, Cell]:
    """The file's columns in their order, by the names of the fields."""
    hints = get_type_hints(shape, include_extras=True)
    return {field.name: _cell(hints[field.name]) for field in _fields(shape)}


def _fields(shape: type[Row]) -> list["Field[Any]"]:
    return [one for one in fields(shape) if one.name != "line"]


def _cell(hint: Any) -> Cell:
    kind, *others = get_args(hint) or (hint,)
    if NoneType in others:
        return replace(_cell(kind), words={"": None})
    for other in others:
        if isinstance(other, Cell):
            return other
    return Cell(f"one of {', '.join(kind)}", kind) if issubclass(kind, StrEnum) else _BY_TYPE[kind]


def _lines(path: Path, shape: type[Row]) -> Iterator[tuple[Line, list[str]]]:
    """The lines below the header that say something, each with as many cells as the header has."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadReference(f"{path.name} cannot be read: {error}") from None
    header: list[str] = []
    for number, text in enumerate(lines, start=1):
        line = Line(path.name, number)
        cells = [cell.strip() for cell in next(csv.reader([text]), [])]
        if not any(cells) or text.lstrip().startswith("#"):
            continue
        if not header:
            _require_header(shape, line, cells)
            header = cells
        elif len(cells) != len(header):
            raise line.refused(f"{len(header)} cells are wanted ({','.join(header)}), not {len(cells)}.")
        else:
            yield line, cells


def _require_header(shape: type[Row], line: Line, header: list[str]) -> None:
    """All columns, of which those that have defaults may be missing: all of them from some on."""
    names = [cell.header or name for name, cell in _cells(shape).items()]
    must = sum(one.default is MISSING for one in _fields(shape))
    if header not in [names[:count] for count in range(must, len(names) + 1)]:
        may = f", and may be followed by {','.join(names[must:])}" if names[must:] else ""
        raise line.refused(f"the columns must be {','.join(names[:must])}{may}.")


def _row(shape: type[AnyRow], cells: dict[str, Cell], line: Line, texts: list[str]) -> AnyRow:
    named = zip(cells.items(), texts, strict=False)
    row = shape(line, **{name: _meant(line, cell.header or name, cell, text) for (name, cell), text in named})
    if isinstance(row, Dated) and row.start >= row.end:
        raise line.refused(f"valid_to ({row.valid_to}) must lie after valid_from ({row.valid_from}).")
    return row


def _meant(line: Line, column: str, cell: Cell, text: str) -> object:
    if text in cell.words:
        return cell.words[text]
    if not text:
        raise line.refused(f"{column} is empty.")
    try:
        return cell.parse(text)
    except (ValueError, ArithmeticError):
        raise line.refused(f"{column} must be {cell.wanted}, not {text}.") from None
