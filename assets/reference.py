"""The reference files that users edit, line by line: strict, with comments, and refused with file and line.

A line that begins with `#` is a comment, wherever it stands. A missing file is an empty one.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from assets.errors import BadReference

_CURRENCY = re.compile(r"[A-Z]{3}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Line:
    """One line's cells by column, and where it stands."""

    file: str
    number: int
    cells: dict[str, str]

    def refused(self, why: str) -> BadReference:
        return BadReference(f"{self.file}, line {self.number}: {why}")

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        if not self.cells[column]:
            raise self.refused(f"{column} is empty.")
        return self.cells[column]

    def day(self, column: str) -> date | None:
        """A day, or None where the cell is empty."""
        cell = self.cells[column]
        if not cell:
            return None
        try:
            if not _DAY.fullmatch(cell):
                raise ValueError(cell)
            return date.fromisoformat(cell)
        except ValueError:
            raise self.refused(f"{column} must be a date such as 2026-10-01, not {cell}.") from None

    def truth(self, column: str) -> bool:
        """true or false, as people write it."""
        cell = self.text(column)
        if cell.lower() not in ("true", "false"):
            raise self.refused(f"{column} must be true or false, not {cell}.")
        return cell.lower() == "true"

    def currency(self, column: str) -> str:
        cell = self.text(column)
        if not _CURRENCY.fullmatch(cell):
            raise self.refused(f"{column} must be three capital letters such as USD, not {cell}.")
        return cell

    def number_of(self, column: str, decimals: int) -> Decimal:
        """A decimal that is not negative, with at most so many decimals."""
        cell = self.text(column)
        try:
            number = Decimal(cell) if _NUMBER.fullmatch(cell) else None
        except InvalidOperation:
            number = None
        if number is None or number >= Decimal(10) ** 9 or number != round(number, decimals):
            raise self.refused(
                f"{column} must be a number such as 20.50, below a billion and with at most {decimals} decimals, "
                f"not {cell}."
            )
        return number

    def span(self) -> "Span":
        """From `valid_from` to `valid_to`."""
        span = Span(self.day("valid_from"), self.day("valid_to"))
        if span.start >= span.end:
            raise self.refused(f"valid_to ({span.valid_to}) must lie after valid_from ({span.valid_from}).")
        return span


@dataclass(frozen=True)
class Span:
    """From a day (inclusive) to a day (exclusive); None is without end."""

    valid_from: date | None
    valid_to: date | None

    @property
    def start(self) -> date:
        return self.valid_from or date.min

    @property
    def end(self) -> date:
        return self.valid_to or date.max

    def meets(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end


class Dated(Protocol):
    @property
    def line(self) -> Line: ...
    @property
    def span(self) -> Span: ...


def read_lines(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Line]:
    """The lines of a file that say something; none where there is no such file. `optional` columns may be left out,
    all of them from some on, and are empty then.

    Raises:
        BadReference: the file cannot be read, or its columns are others.
    """
    if not path.exists():
        return
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadReference(f"{path.name} cannot be read: {error}") from None
    headers = [[*columns, *optional[:count]] for count in range(len(optional) + 1)]
    header = None
    for number, text in enumerate(lines, start=1):
        cells = [cell.strip() for cell in next(csv.reader([text]), [])]
        if not any(cells) or text.lstrip().startswith("#"):
            continue
        if header is None:
            header = cells
            if cells not in headers:
                may = f", and may be followed by {','.join(optional)}" if optional else ""
                raise BadReference(f"{path.name}, line {number}: the columns must be {','.join(columns)}{may}.")
        elif len(cells) != len(header):
            raise BadReference(
                f"{path.name}, line {number}: {len(header)} cells are wanted ({','.join(header)}), not {len(cells)}."
            )
        else:
            yield Line(path.name, number, dict.fromkeys(optional, "") | dict(zip(header, cells, strict=True)))


def refuse_overlaps(what: str, same: Iterable[Dated]) -> None:
    """Of entries for the same thing, no two may hold on the same day.

    Raises:
        BadReference: two do.
    """
    ordered = sorted(same, key=lambda one: (one.span.start, one.line.number))
    for earlier, later in pairwise(ordered):
        if earlier.span.meets(later.span):
            first, second = sorted((earlier.line, later.line), key=lambda line: line.number)
            when = f"on {later.span.start}" if later.span.valid_from else "from the beginning"
            raise second.refused(
                f"{what} overlaps with line {first.number}: both hold {when}. valid_to is the first day on which a "
                "line holds no more."
            )
