"""What finance gives to the warehouse: its reference files, and the months that it has closed."""

from collections.abc import Iterable

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from assets.finance import closings, frozen
from assets.finance.closings import Log, figures_in_force, read_log
from assets.finance.reference import finance_reference, hashes_table
from assets.layout import DataDirectory


def load_finance(
    connection: duckdb.DuckDBPyConnection,
    published: DataDirectory,
    staged: DataDirectory,
    license_types: Iterable[str],
) -> None:
    """Add to the connection's current database, `inputs`, the tables that finance's relations read.

    Raises:
        BadReference: a reference file cannot be used.
        PublishFailed: what was signed has changed on disk.
    """
    for name, table in finance_reference(published, license_types).tables().items():
        connection.from_arrow(table).create(name)
    connection.from_arrow(hashes_table(published)).create("reference_files")
    log = read_log(published, staged)
    connection.from_arrow(_closings(log)).create("finance_closings")
    for name, kind, columns in (
        ("finance_closed", closings.LINES, frozen.LINES),
        ("closed_adjustments", closings.ADJUSTMENTS, frozen.ADJUSTMENTS),
    ):
        files = [pq.read_table(path, schema=columns) for path in figures_in_force(log, kind, published, staged)]
        connection.from_arrow(pa.concat_tables([columns.empty_table(), *files])).create(name)


def _closings(log: Log) -> pa.Table:
    in_force = {entry.number for entry in log.in_force().values()}
    rows = [
        {
            "number": entry.number,
            "event": entry.event.value,
            "month": entry.month,
            "recorded_at": entry.at,
            "recorded_by": entry.by,
            "reason": entry.reason,
            "acknowledged_gaps": entry.acknowledged_gaps,
            "inputs_sha256": entry.inputs_sha256,
            "is_in_force": entry.number in in_force,
        }
        for entry in log.entries
    ]
    return pa.Table.from_pylist(rows, frozen.CLOSINGS)
