"""The rules that queries share: each is written once, and says the same as its counterpart in Python."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

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


def test_an_id_that_an_import_made_up_is_told_apart_and_gives_its_address_back(connection: duckdb.DuckDBPyConnection):
    made_up = value(connection, "made_up_id", "Ada@Acme.example")
    assert value(connection, "is_made_up", made_up) is True
    assert value(connection, "made_up_from", made_up) == "ada@acme.example"
    assert value(connection, "is_made_up", "user_0001") is False
    assert value(connection, "made_up_from", "user_0001") is None


@pytest.mark.parametrize(("holder_type", "subject"), [("user", "ada@acme.example"), ("api_key", "Robot")])
def test_a_report_names_a_member_by_the_address_in_lower_case_and_a_key_by_its_name(
    connection: duckdb.DuckDBPyConnection, holder_type: str, subject: str
):
    assert value(connection, "subject_of", holder_type, "Ada@Acme.example", "Robot") == subject


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ((True, True, True), "used"),
        ((False, True, True), "never_seen"),
        ((False, None, True), "not_seen"),
        ((False, None, None), "unknown"),
    ],
)
def test_not_having_been_seen_is_told_apart_from_not_having_been_looked_at(
    connection: duckdb.DuckDBPyConnection, known: tuple[bool | None, ...], state: str
):
    assert value(connection, "last_used_state", *known) == state


@pytest.mark.parametrize(("total", "divisor", "average"), [(1, 3, "0.3333"), (2, 3, "0.6667"), (1, 20000, "0.0001")])
def test_an_average_is_exact_to_ten_thousandths_half_up(
    connection: duckdb.DuckDBPyConnection, total: int, divisor: int, average: str
):
    assert value(connection, "average", total, divisor) == Decimal(average)


def test_of_equal_peaks_the_first_day_is_the_greatest(connection: duckdb.DuckDBPyConnection):
    days = [value(connection, "first_of_peaks", seats, DAY.replace(day=day)) for seats, day in ((2, 9), (3, 9), (3, 8))]
    asked = connection.execute("select list_position($days, list_max($days))", {"days": days}).fetchall()
    assert asked == [(3,)]
