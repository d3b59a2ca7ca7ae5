"""The way in from a notebook: what the warehouse answers, as a pandas DataFrame. Nowhere else is pandas imported.

A relation, a macro or a query is asked of the data directory:

    frame("data", "license_history")
    frame("data", "licenses_on(date '2026-11-01')")
    frame("data", "select * from seats_on($day)", {"day": date(2026, 11, 1)})
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from assets.errors import LicenseHistoryError
from assets.layout import DataDirectory
from assets.warehouse.reading import opened

if TYPE_CHECKING:
    import pandas as pd

_CALLED = re.compile(r"[\w.]+(\s*\(.*\))?", re.S)
"""A relation, or a macro with what is given to it; all else is a query."""

_HUGE = pa.decimal128(38, 0)
"""What DuckDB gives as sum of whole numbers, in Arrow."""


def frame(
    data: DataDirectory | Path | str, asked: str, parameters: Sequence[object] | Mapping[str, object] = ()
) -> "pd.DataFrame":
    """A relation, a macro's answer or a query's, from the warehouse in a data directory; it locks nothing.

    What is null is `NA` in every column, never zero, False or an empty string: whole numbers are Int64, truth values
    boolean, fractions Float64, texts and ids string, sums of money exact decimals (`decimal.Decimal` one by one), dates
    datetime64 and instants datetime64 in UTC (of these two, null is `NaT`). Types depend on the columns, not on the
    rows. Other types, which no relation has (lists, structs, enums, times of day), stay as pandas has them: objects and
    categories, with None or NaN.

    Raises:
        LicenseHistoryError: there is no warehouse yet, or what was asked is none of the three.
        duckdb.Error: DuckDB cannot answer.
        pyarrow.ArrowInvalid: a sum has more than 64 bits.
    """
    asked = asked.rstrip("; \t\r\n").lstrip()
    query = f"from {asked}" if _CALLED.fullmatch(asked) else asked
    with opened(data if isinstance(data, DataDirectory) else DataDirectory(Path(data))) as warehouse:
        statements = warehouse.extract_statements(query)
        if not statements or duckdb.ExpectedResultType.QUERY_RESULT not in statements[-1].expected_result_type:
            raise LicenseHistoryError(f"“{asked}” gives no rows: ask a relation, a macro or a query.")
        table = warehouse.sql(query, params=parameters).to_arrow_table()
    answer: pd.DataFrame = _whole(table).to_pandas(types_mapper=_pandas_type, date_as_object=False)
    return answer


def _whole(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if field.type == _HUGE:
            table = table.set_column(place, field.name, pc.cast(table.column(place), pa.int64()))
    return table


def _pandas_type(kind: pa.DataType) -> object:
    """The extension type that knows null; None for those that have their own null in pandas."""
    import pandas as pd

    if pa.types.is_integer(kind):
        return pd.Int64Dtype()
    if pa.types.is_floating(kind):
        return pd.Float64Dtype()
    if pa.types.is_boolean(kind):
        return pd.BooleanDtype()
    if pa.types.is_string(kind):
        return pd.StringDtype()
    return pd.ArrowDtype(kind) if pa.types.is_decimal(kind) else None
