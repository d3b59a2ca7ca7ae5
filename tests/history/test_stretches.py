"""What the snapshots told, as stretches: each of three queries alone, and together however the days are divided."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.history.inputs import TOLD_STRETCHES
from assets.snapshots.schema import LICENSE_ASSIGNMENTS, ORGANIZATION_ID, SNAPSHOT_DATE
from assets.warehouse.relations import create, relations
from pipelines.subjects import SUBJECTS
from tests.history.snapshots import NOBODY, Row

RELATIONS = {one.name: one for one in relations(SUBJECTS)}
FIRST = date(2026, 3, 1)
SPAN = 7
ROSTER = pa.schema(
    [
        ORGANIZATION_ID,
        ("holder_type", pa.string()),
        SNAPSHOT_DATE,
        ("day_number", pa.int64()),
        ("next_date", pa.date32()),
    ]
)
Roster = Mapping[date, Mapping[str, str | None]]
"""Of each observed day, the holders and their names; a null equals a null."""
Stretch = tuple[str, str | None, date, date | None]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with opened() as connection:
        yield connection


def opened() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    for name in ("inputs", "warehouse"):
        connection.execute(f"attach ':memory:' as {name}")
    connection.execute("create schema warehouse.internal")
    connection.execute("use warehouse")
    return connection


def load(
    connection: duckdb.DuckDBPyConnection, roster: Roster, read: Iterable[date], known: pa.Table | None = None
) -> None:
    """Make what the queries read: the observed days, the rows of those to read, and what is known of the others."""
    days, again = sorted(roster), sorted(read)
    observed = [
        {"snapshot_date": one, "day_number": n, "next_date": after}
        for n, (one, after) in enumerate(zip(days, [*days[1:], None], strict=True), 1)
    ]
    rows = [
        NOBODY | {"snapshot_date": one, "holder_id": who, "name": name}
        for one in again
        for who, name in roster[one].items()
    ]
    everything = pa.schema([ORGANIZATION_ID, SNAPSHOT_DATE, *LICENSE_ASSIGNMENTS])
    for place, columns, made in (
        ("warehouse.internal.roster_days", ROSTER, observed),
        ("inputs.snapshots", everything, rows),
        ("inputs.days_to_read", pa.schema([ORGANIZATION_ID, SNAPSHOT_DATE]), [{"snapshot_date": one} for one in again]),
    ):
        connection.execute(f"drop table if exists {place}")
        connection.from_arrow(table(columns, made)).create(place)
    connection.execute("drop table if exists inputs.known_stretches")
    connection.from_arrow(known or TOLD_STRETCHES.empty_table()).create("inputs.known_stretches")
    for name, value in (("first_day", min(again, default=FIRST)), ("last_day", max(again, default=FIRST))):
        connection.execute(f"set variable {name} = $value", {"value": value})
    connection.execute("set variable amends = false")
    for name in ("rows_read", "changed_told", "pieces_read", "pieces_kept"):
        create(connection, RELATIONS[f"temp.{name}"])


def table(columns: pa.Schema, rows: Iterable[Row]) -> pa.Table:
    given = {"organization_id": "org", "holder_type": "user"}
    return pa.Table.from_pylist([{name: (given | row).get(name) for name in columns.names} for row in rows], columns)


def pieces(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str | None, int, int]]:
    return (
        connection.table(f"temp.{name}")
        .select("holder_id", "name", "first_number", "last_number")
        .order("all")
        .fetchall()
    )


def told(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    return connection.sql(RELATIONS["internal.told_stretches"].of_all).select(*TOLD_STRETCHES.names).to_arrow_table()


def shown(stretches: pa.Table) -> list[Stretch]:
    columns = ("holder_id", "name", "valid_from", "valid_to")
    return sorted((tuple(row[name] for name in columns) for row in stretches.to_pylist()), key=str)


def model(roster: Roster) -> list[Stretch]:
    """The slow way: each holder, day by day; after the last day nobody is gone."""
    days = sorted(roster)
    found: list[Stretch] = []
    for who in {who for there in roster.values() for who in there}:
        since = FIRST
        before: str | None = "nobody"
        for one in (*days, None):
            here = roster[one].get(who, "nobody") if one else "nobody"
            if here != before:
                found += [(who, before, since, one)] if before != "nobody" else []
                since, before = one or FIRST, here
    return sorted(found, key=str)


ADA: Roster = {
    day(0): {"ada": "Ada"},
    day(1): {"ada": "Ada", "bob": None},
    day(4): {"ada": "Eve", "bob": None},
    day(5): {"ada": "Ada"},
}


def test_a_row_read_makes_one_piece_for_each_unbroken_run_of_observed_days(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    load(connection, ADA, ADA)
    assert pieces(connection, "pieces_read") == [
        ("ada", "Ada", 1, 2),
        ("ada", "Ada", 4, 4),
        ("ada", "Eve", 3, 3),
        ("bob", None, 2, 3),  # days that nobody observed end nothing
    ]
    assert pieces(connection, "pieces_kept") == []


def test_of_the_days_that_are_not_read_no_piece_is_made(connection: duckdb.DuckDBPyConnection) -> None:
    load(connection, ADA, [day(0), day(5)])
    assert pieces(connection, "pieces_read") == [("ada", "Ada", 1, 1), ("ada", "Ada", 4, 4)]


def test_a_known_stretch_is_kept_but_for_the_days_that_are_read_again(connection: duckdb.DuckDBPyConnection) -> None:
    known = [
        {"holder_id": "ada", "name": "Ada", "valid_from": day(0), "valid_to": None},
        {"holder_id": "bob", "name": "Bob", "valid_from": day(1), "valid_to": day(4)},
    ]
    load(connection, ADA, [day(1)], table(TOLD_STRETCHES, known))
    assert pieces(connection, "pieces_kept") == [("ada", "Ada", 1, 1), ("ada", "Ada", 3, 4)]


def test_a_known_stretch_of_days_that_are_no_longer_there_is_not_kept(connection: duckdb.DuckDBPyConnection) -> None:
    known = [{"holder_id": "ada", "name": "Ada", "valid_from": day(2), "valid_to": day(4)}]
    load(connection, ADA, [], table(TOLD_STRETCHES, known))
    assert pieces(connection, "pieces_kept") == []


def test_pieces_of_one_row_that_follow_upon_each_other_are_one_stretch(connection: duckdb.DuckDBPyConnection) -> None:
    known = [{"holder_id": "ada", "name": "Ada", "valid_from": day(0), "valid_to": None, **NOBODY}]
    load(connection, {day(0): {}, day(1): {"ada": "Ada"}}, [day(1)], table(TOLD_STRETCHES, known))
    assert shown(told(connection)) == [("ada", "Ada", day(0), None)]


rosters = st.dictionaries(
    st.integers(0, SPAN - 1).map(day),
    st.dictionaries(st.sampled_from(["ada", "bob"]), st.sampled_from(["Ada", "Eve", None])),
    min_size=1,
)


@given(roster=rosters, before=rosters, again=st.sets(st.integers(0, SPAN - 1).map(day)))
def test_the_stretches_are_the_same_whichever_way_the_days_are_divided(
    roster: Roster, before: Roster, again: set[date]
) -> None:
    """What was known before is of some of the days, and of others that have been replaced, or are gone."""
    unchanged = {one for one in roster if before.get(one) == roster[one]}
    with opened() as connection:
        load(connection, before, before)
        known = told(connection)
        assert shown(known) == model(before)
        load(connection, roster, roster.keys() - unchanged | roster.keys() & again, known)
        assert shown(told(connection)) == model(roster)
