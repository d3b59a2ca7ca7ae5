"""Who used what, by the answers of one observation: its reports pass part by part, and are never in memory whole.

Each day of use stands by itself, so days are matched to holders and written one after another, some at a time.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from assets.columns import DAY, TEXT, columns_of
from assets.engine import make, sql_file
from assets.extraction import api
from assets.extraction.coverage import UsageFacts
from assets.extraction.landing import Observation
from assets.extraction.usage_calls import Span
from assets.snapshots.raw import load_parts
from assets.snapshots.schema import USAGE
from assets.snapshots.snapshot import writing_parts
from assets.snapshots.usage import Bearers

ROWS_AT_ONCE = 250_000
"""So many uses are matched and written together; those of one day always are."""

_USES = pa.schema([field for field in USAGE if field.name != "matched_by"])
_UNATTRIBUTED = pa.schema([("endpoint", TEXT), ("usage_date", DAY), ("told", pa.int32())])


def load_uses(connection: duckdb.DuckDBPyConnection, observation: Observation) -> int:
    """Make `uses` and `unattributed`, both by parts: a use that several parts tell of stands there several times.

    Returns how many items were left out because they cannot be told to be this organization's.
    """
    for relation, columns in (("uses", _USES), ("unattributed", _UNATTRIBUTED)):
        connection.from_arrow(columns.empty_table()).create(relation)
    for report in api.USAGE:
        connection.register(f"raw_{report.name}", columns_of(report.item).empty_table())
    connection.sql(sql_file(__file__, "uses_of_keys")).insert_into("uses")
    foreign = 0
    for report in api.USAGE:
        for left_out in load_parts(connection, report, observation):
            foreign += left_out
            for relation in ("uses", "unattributed"):
                connection.sql(sql_file(__file__, relation)).insert_into(relation)
    return foreign


def write_uses(connection: duckdb.DuckDBPyConnection, place: Path, bearers: Bearers) -> dict[str, int]:
    """Write those of all `uses` that no earlier night tells, each with its holder as far as it can be told; what was
    counted of all of them on the way.

    Reads `holders`, `observation`, the raw rosters, and what is known: `told_before` and `last_use_before`.
    """
    counted: Counter[str] = Counter()
    facts = UsageFacts()
    with writing_parts(place, USAGE, facts) as write:
        for span in _spans(connection):
            named = connection.execute(sql_file(__file__, "days_of_names"), vars(span)).fetchall()
            bearers.load(connection, [used for (used,) in named])
            make(connection, __file__, "usage_now", first=span.first, last=span.last)
            write(connection.sql(sql_file(__file__, "usage_new")))
            relied_on = connection.execute(sql_file(__file__, "left_out")).fetchall()
            facts.left_out = sorted({*facts.left_out, *(night for (night,) in relied_on)})
            counted.update(connection.sql(sql_file(__file__, "tallies_of_uses")).to_arrow_table().to_pylist()[0])
    return dict(counted)


def first_day_told(connection: duckdb.DuckDBPyConnection) -> date:
    """The first day of use that a report tells of: no night before it can have told of any."""
    days = connection.execute(sql_file(__file__, "first_day_told")).fetchall()[0]
    return days[0] or date.max


def _spans(connection: duckdb.DuckDBPyConnection) -> Iterator[Span]:
    """The days of use, as many together as there is room for."""
    days: list[date] = []
    rows = 0
    for day, told in connection.execute(sql_file(__file__, "days_of_use")).fetchall():
        if days and rows + told > ROWS_AT_ONCE:
            yield Span(days[0], days[-1])
            days, rows = [], 0
        days.append(day)
        rows += told
    if days:
        yield Span(days[0], days[-1])
