"""A file that somebody kept, as rows of cells: CSV, XLSX, XLS or Parquet, told apart by its content.

What the headers mean and whether the rows can be used is not decided here.
"""

import csv
import io
import warnings
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from assets.errors import WrongUse
from assets.layout import FACTS_KEY
from assets.snapshots.snapshot import SnapshotFacts

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
BATCH = 50_000
FAULTS = pa.schema([("row_number", pa.int64()), ("reason", pa.string())])


class Sheet(NamedTuple):
    """A table as the file holds it: `rows` has `row_number`, as a spreadsheet shows it, and the columns c0, c1, ….

    `facts` are what a snapshot of our own says of itself; `faults` are rows that do not fit the header.
    """

    kind: str
    headers: list[str]
    rows: pa.Table
    faults: pa.Table
    facts: SnapshotFacts | None = None


def read_sheet(path: Path) -> Sheet:
    """The rows of a file.

    Raises:
        WrongUse: it is not there, is none of the four formats, or holds no rows.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        sheet = _reader(magic)(path)
    except OSError as error:
        raise WrongUse(f"{path.name} cannot be read: {error.strerror or error}.") from None
    if not sheet.rows.num_rows and not sheet.faults.num_rows:
        raise WrongUse(f"{path.name} holds no rows beneath its header: a day without holders cannot be imported.")
    return sheet


def _reader(magic: bytes) -> Callable[[Path], Sheet]:
    if magic == b"PAR1":
        return _read_parquet
    if magic == b"PK\x03\x04":
        return _read_xlsx
    return _read_xls if magic == b"\xd0\xcf\x11\xe0" else _read_csv


def _read_csv(path: Path) -> Sheet:
    text = _decoded(path)
    delimiter = None
    if text[:4].lower() == "sep=" and len(text) > 4:  # Excel's own first line, which it does not show as a row
        delimiter, text = text[4], text.partition("\n")[2]
    delimiter = delimiter or max(DELIMITERS, key=lambda mark: len(_first(_records(text, mark))))
    records = _records(text, delimiter)
    try:
        return _sheet(path, f"CSV with {DELIMITERS.get(delimiter, delimiter)}", records)
    except csv.Error as error:
        raise WrongUse(
            f"{path.name} cannot be read as CSV with {DELIMITERS.get(delimiter, delimiter)}: {error}."
        ) from None


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise WrongUse(
            f"{path.name} is not written in UTF-8 (line {line}), so its letters would be guesses: save it in the "
            "spreadsheet as «CSV UTF-8», or as XLSX."
        ) from None
    if "\0" in text:
        raise WrongUse(f"{path.name} is neither CSV nor XLSX nor XLS nor Parquet.")
    return text


def _records(text: str, delimiter: str) -> Iterator[list[str | None]]:
    for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
        yield list(record)


def _first(records: Iterator[list[str | None]]) -> list[str | None]:
    try:
        return next((record for record in records if _is_filled(record)), [])
    except csv.Error:
        return []


def _read_xlsx(path: Path) -> Sheet:
    import openpyxl

    try:
        # It warns of decoration that it does not know; only the cells matter here.
        with warnings.catch_warnings(action="ignore"), path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            chosen = sheets[0]
            chosen.reset_dimensions()
            records = ([_text(cell) for cell in row] for row in chosen.iter_rows(values_only=True))
            return _sheet(path, _workbook("XLSX", chosen.title, len(sheets)), records)
    except (OSError, WrongUse):
        raise
    except Exception as error:  # whatever a broken workbook makes of its reader
        raise WrongUse(
            f"{path.name} cannot be read as an XLSX workbook: {str(error) or type(error).__name__}."
        ) from None


def _read_xls(path: Path) -> Sheet:
    import xlrd

    def text(cell: xlrd.sheet.Cell) -> str | None:
        value: Any = cell.value
        match cell.ctype:
            case xlrd.XL_CELL_DATE:
                return _xls_date(value, 1 if book.datemode else 0)
            case xlrd.XL_CELL_BOOLEAN:
                return _text(bool(value))
            case xlrd.XL_CELL_ERROR:
                return xlrd.error_text_from_code[value]
        return _text(value)

    try:
        book = xlrd.open_workbook(str(path), logfile=io.StringIO(), ragged_rows=True)
        sheets = [sheet for sheet in book.sheets() if sheet.visibility == 0]
        records = ([text(cell) for cell in row] for row in sheets[0].get_rows())
        return _sheet(path, _workbook("XLS", sheets[0].name, len(sheets)), records)
    except (OSError, WrongUse):
        raise
    except Exception as error:  # whatever a broken workbook, or one with a password, makes of its reader
        raise WrongUse(
            f"{path.name} cannot be read as an XLS workbook: {str(error) or type(error).__name__}. Save it as XLSX "
            "without a password, or as CSV."
        ) from None


def _xls_date(serial: float, mode: Literal[0, 1]) -> str | None:
    """A date cell as an XLSX would hold it: a time without a day is no date, and what is out of range an error.

    A negative number, which a spreadsheet shows as `####`, stays what it is.
    """
    import xlrd

    if serial < 0:
        return _text(serial)
    try:
        told = xlrd.xldate_as_datetime(serial, mode)
    except (xlrd.xldate.XLDateError, OverflowError, ValueError):
        return "#VALUE!"
    return str(told.time()) if serial < 1 else _text(told)


def _workbook(kind: str, sheet: str, visible: int) -> str:
    return f"{kind}, sheet {sheet}" + (f", the first of {visible} sheets" if visible > 1 else "")


def _text(value: object) -> str | None:
    """A cell as it would stand in a CSV file; what a spreadsheet calls a date has no time zone."""
    if value is None:
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _read_parquet(path: Path) -> Sheet:
    try:
        table = pq.ParquetFile(path).read()
    except pa.ArrowException as error:
        raise WrongUse(f"{path.name} cannot be read as Parquet: {error}.") from None
    own = (table.schema.metadata or {}).get(FACTS_KEY)
    numbers = pa.array(range(2, table.num_rows + 2), pa.int64())
    rows = table.rename_columns([f"c{place}" for place in range(table.num_columns)]).append_column(
        "row_number", numbers
    )
    try:
        facts = msgspec.json.decode(own, type=SnapshotFacts) if own else None
    except ValueError as error:
        raise WrongUse(f"{path.name} is a snapshot of ours that is damaged: {error}.") from None
    return Sheet("Parquet", table.column_names, rows, FAULTS.empty_table(), facts)


def _sheet(path: Path, kind: str, records: Iterable[list[str | None]]) -> Sheet:
    """Header and rows, empty rows skipped but counted, as the spreadsheet counts them."""
    numbered = ((number, cells) for number, cells in zip(count(1), records, strict=False) if _is_filled(cells))
    _, header = next(numbered, (0, None))
    if header is None:
        raise WrongUse(f"{path.name} is empty.")
    headers = [(cell or "").strip() for cell in header]
    schema = pa.schema([("row_number", pa.int64()), *((f"c{place}", pa.string()) for place in range(len(headers)))])
    faults: list[dict[str, object]] = []
    batches = []
    while part := list(islice(numbered, BATCH)):
        for number, cells in part:
            if _is_filled(cells[len(headers) :]):
                faults.append({"row_number": number, "reason": f"more cells than the header's {len(headers)}"})
            cells += [None] * (len(headers) - len(cells))
        columns = zip(*(cells[: len(headers)] for _, cells in part), strict=True)
        batches.append(pa.record_batch([[number for number, _ in part], *map(list, columns)], schema=schema))
    return Sheet(kind, headers, pa.Table.from_batches(batches, schema), pa.Table.from_pylist(faults, FAULTS))


def _is_filled(cells: list[str | None]) -> bool:
    return any(cell and cell.strip() for cell in cells)
