"""`licenses sql`: the warehouse, read-only, as a table or as data. Arrow is loaded for data alone: it takes longer than
most questions.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assets.engine import shortage
from assets.errors import WrongUse
from pipelines import settings as settings_module
from pipelines.cli.warehouse import opened

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 200
"""Rows that the table format shows; the other formats give all."""


def ask(query: str, form: str, output: Path | None) -> None:
    """Run a query and give its rows out.

    Raises:
        WrongUse: the statement is wrong, or tries to write.
        LicenseHistoryError: there is no warehouse yet.
    """
    for_people = form == "table" and output is None
    with opened(settings_module.load().data) as connection:
        try:
            rows = connection.sql(query)
            if rows is None:
                return
            answer = _first_rows(rows) if for_people else rows.to_arrow_table()
        except duckdb.Error as error:
            if shortage(error):
                raise
            raise WrongUse(f"the warehouse says: {error}") from None
    if isinstance(answer, _FirstRows):
        _show(answer)
    else:
        _give(answer, form, output)


class _FirstRows(NamedTuple):
    columns: list[str]
    rows: list[tuple[object, ...]]
    more: int
    """How many rows follow."""


def _first_rows(rows: duckdb.DuckDBPyRelation) -> _FirstRows:
    answer = rows.materialize()  # else the query would run once for its rows and once to count them
    return _FirstRows(rows.columns, answer.limit(MOST_ROWS).fetchall(), max(0, len(answer) - MOST_ROWS))


def _give(table: "pa.Table", form: str, output: Path | None) -> None:
    if form == "parquet":
        _give_parquet(table, output)
    else:
        text = _json(table) if form == "json" else _csv(table)
        if output:
            output.write_bytes(text)
        else:
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()


def _show(answer: _FirstRows) -> None:
    console = Console() if sys.stdout.isatty() else Console(width=10_000)
    shown = Table(*answer.columns, box=None, pad_edge=False, header_style="bold")
    for row in answer.rows:
        shown.add_row(*("" if value is None else escape(str(value)) for value in row))
    console.print(shown, highlight=False)
    if answer.more:
        console.print(f"… {answer.more:,} more rows; --format csv gives all {MOST_ROWS + answer.more:,}.")


def _give_parquet(table: "pa.Table", output: Path | None) -> None:
    import pyarrow.parquet as pq

    if output is None and sys.stdout.isatty():
        raise WrongUse("Parquet is not for the terminal: name a file with --output, or redirect.")
    pq.write_table(table, str(output) if output else sys.stdout.buffer, compression="zstd")


def _csv(table: "pa.Table") -> bytes:
    import pyarrow as pa
    import pyarrow.csv as csv

    sink = pa.BufferOutputStream()
    csv.write_csv(pa.table([_flat(column) for column in table.columns], names=table.column_names), sink)
    return bytes(sink.getvalue().to_pybytes())


def _flat(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Lists and intervals as text, which is all that CSV has."""
    import pyarrow as pa

    kind = column.type
    if not (pa.types.is_nested(kind) or pa.types.is_interval(kind) or pa.types.is_duration(kind)):
        return column
    return pa.chunked_array([[None if value is None else str(value) for value in column.to_pylist()]], pa.string())


def _json(table: "pa.Table") -> bytes:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(table.to_pylist(), enc_hook=str), indent=2) + b"\n"
