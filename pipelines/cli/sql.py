"""`licenses sql`: the warehouse, read-only, as a table or as data."""

import sys
from pathlib import Path

import duckdb
import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assets.engine import shortage
from assets.errors import WrongUse
from pipelines import settings as settings_module
from pipelines.cli.warehouse import opened

MOST_ROWS = 200
"""Rows that the table format shows; the other formats give all."""


def ask(query: str, form: str, output: Path | None) -> None:
    """Run a query and give its rows out.

    Raises:
        WrongUse: the statement is wrong, or tries to write.
        LicenseHistoryError: there is no warehouse yet.
    """
    with opened(settings_module.load().data) as connection:
        try:
            rows = connection.sql(query)
            table = rows.to_arrow_table() if rows is not None else None
        except duckdb.Error as error:
            if shortage(error):
                raise
            raise WrongUse(f"the warehouse says: {error}") from None
    if table is not None:
        _give(table, form, output)


def _give(table: pa.Table, form: str, output: Path | None) -> None:
    if form == "table" and output is None:
        _show(table)
    elif form == "parquet":
        _give_parquet(table, output)
    else:
        text = _json(table) if form == "json" else _csv(table)
        if output:
            output.write_bytes(text)
        else:
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()


def _show(table: pa.Table) -> None:
    console = Console() if sys.stdout.isatty() else Console(width=10_000)
    shown = Table(*table.column_names, box=None, pad_edge=False, header_style="bold")
    for row in table.slice(0, MOST_ROWS).to_pylist():
        shown.add_row(*("" if value is None else escape(str(value)) for value in row.values()))
    console.print(shown, highlight=False)
    if table.num_rows > MOST_ROWS:
        console.print(f"… {table.num_rows - MOST_ROWS:,} more rows; --format csv gives all {table.num_rows:,}.")


def _give_parquet(table: pa.Table, output: Path | None) -> None:
    import pyarrow.parquet as pq

    if output is None and sys.stdout.isatty():
        raise WrongUse("Parquet is not for the terminal: name a file with --output, or redirect.")
    pq.write_table(table, str(output) if output else sys.stdout.buffer, compression="zstd")


def _csv(table: pa.Table) -> bytes:
    import pyarrow.csv as csv

    sink = pa.BufferOutputStream()
    csv.write_csv(pa.table([_flat(column) for column in table.columns], names=table.column_names), sink)
    return bytes(sink.getvalue().to_pybytes())


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Lists and intervals as text, which is all that CSV has."""
    kind = column.type
    if not (pa.types.is_nested(kind) or pa.types.is_interval(kind) or pa.types.is_duration(kind)):
        return column
    return pa.chunked_array([[None if value is None else str(value) for value in column.to_pylist()]], pa.string())


def _json(table: pa.Table) -> bytes:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(table.to_pylist(), enc_hook=str), indent=2) + b"\n"
