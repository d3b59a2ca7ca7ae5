"""The rules that queries share: each is written once, and says the same as its counterpart in Python."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb
import pytest

from assets.days import TRAILING_DAYS
from assets.snapshots.license_types import API_KEY_LICENSE
from assets.snapshots.rules import RULES, load_rules

DAY = date(2026, 6, 10)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        load_rules(connection)
        yield connection


def value(connection: duckdb.DuckDBPyConnection, rule: str, *arguments: object) -> object:
    marks = ", ".join("?" for _ in arguments)
    return connection.execute(f"select {rule}({marks})", arguments).fetchall()[0][0]


def test_a_rule_is_called_as_its_file_and_holds_in_every_database(connection: duckdb.DuckDBPyConnection):
    connection.execute("attach ':memory:' as elsewhere")
    connection.execute("use elsewhere")
    told = connection.execute("select function_name from duckdb_functions() where not internal").fetchall()
    assert {name for (name,) in told} == {path.stem for path in RULES.glob("*.sql")}
    assert value(connection, "api_key_license") == API_KEY_LICENSE


@pytest.mark.parametrize(("word", "shown"), [("wizard", "Unmapped (wizard)"), (None, None)])
def test_an_unmapped_word_is_shown_and_known_again(
    connection: duckdb.DuckDBPyConnection, word: str | None, shown: str | None
):
    assert value(connection, "unmapped", word) == shown
    assert value(connection, "is_unmapped", shown) is (True if shown else None)
    assert value(connection, "is_unmapped", "Unmapped") is False


@pytest.mark.parametrize(("told", "takes"), [(True, True), (False, False), (None, True)])
def test_a_role_that_the_table_lacks_takes_a_seat(
    connection: duckdb.DuckDBPyConnection, told: bool | None, takes: bool
):
    assert value(connection, "takes_seat", told) is takes


def test_a_source_may_be_as_late_as_each_night_asks_again_and_no_later(connection: duckdb.DuckDBPyConnection):
    on_time, too_late = (DAY.replace(day=DAY.day - late) for late in (TRAILING_DAYS, TRAILING_DAYS + 1))
    assert value(connection, "watched_up_to", on_time, DAY) is True
    assert value(connection, "watched_up_to", too_late, DAY) is False


@pytest.mark.parametrize(
    ("used_at", "used_on", "is_theirs"),
    [
        (datetime(2026, 6, 10, 8, tzinfo=UTC), DAY, True),
        (datetime(2026, 6, 10, 7, 59, tzinfo=UTC), DAY, False),
        (None, DAY, True),
        (None, date(2026, 6, 9), False),
    ],
)
def test_a_use_before_the_license_was_assigned_is_an_earlier_holders(
    connection: duckdb.DuckDBPyConnection, used_at: datetime | None, used_on: date, is_theirs: bool
):
    assigned_at = datetime(2026, 6, 10, 8, tzinfo=UTC)
    connection.execute("set TimeZone = 'UTC'")
    assert value(connection, "used_since_assigned", used_at, used_on, assigned_at) is is_theirs
    assert value(connection, "used_since_assigned", used_at, used_on, None) is True


@pytest.mark.parametrize(("id", "made_up"), [("email:ada@acme.example", True), ("user_0001", False)])
def test_an_id_that_an_import_made_up_is_told_apart(connection: duckdb.DuckDBPyConnection, id: str, made_up: bool):
    assert value(connection, "is_made_up", id) is made_up
