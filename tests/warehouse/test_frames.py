"""The warehouse in a notebook: types that say what a column is, and that do not make a number of what is not known."""

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from assets.errors import LicenseHistoryError
from assets.warehouse.frames import frame
from tests.history.snapshots import Snapshot, World

DAY = date(2026, 3, 1)
TYPES = {
    "day": "datetime64[ms]",
    "instant": "datetime64[us, UTC]",
    "id": "string",
    "small": "Int64",
    "whole": "Int64",
    "total": "Int64",
    "truth": "boolean",
    "fraction": "Float64",
    "money": "decimal128(18, 2)[pyarrow]",
}
KNOWN = """
    select
        date '2026-03-01' as day,
        timestamptz '2026-03-01 12:00:00+00' as instant,
        'user_1' as id,
        cast(1 as integer) as small,
        cast(2 as bigint) as whole,
        cast(3 as hugeint) as total,
        true as truth,
        cast(0.5 as double) as fraction,
        cast(19.90 as decimal(18, 2)) as money
"""
UNKNOWN = "select null, null, null, null, null, null, null, null, null"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """All ask the same file, which nobody changes."""
    made = World(tmp_path_factory.mktemp("world"))
    made.publish(Snapshot("org", DAY, {"user": {"ada": {"name": "Ada"}, "bob": {}}}))
    return made


@pytest.fixture
def data(world: World) -> Path:
    return world.root


@pytest.mark.parametrize("query", [KNOWN, f"{KNOWN} union all {UNKNOWN}", f"from ({KNOWN}) where false"])
def test_types_are_those_of_the_columns_whatever_the_rows(data: Path, query: str) -> None:
    assert {name: str(kind) for name, kind in frame(data, query).dtypes.items()} == TYPES


def test_what_is_not_known_is_neither_zero_nor_false_nor_empty(data: Path) -> None:
    unknown = frame(data, f"{KNOWN} union all {UNKNOWN}").iloc[1]
    assert unknown.isna().all()


def test_values_are_exact(data: Path) -> None:
    row = frame(data, KNOWN).iloc[0]
    assert row["day"] == pd.Timestamp(DAY)
    assert row["instant"] == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (row["money"], type(row["money"])) == (Decimal("19.90"), Decimal)
    assert frame(data, f"{KNOWN} union all {KNOWN}")["money"].sum() == Decimal("39.80")


def test_a_relation_a_macro_and_a_query_with_parameters_are_answered(data: Path) -> None:
    assert list(frame(data, "license_history")["holder_id"]) == ["ada", "bob"]
    assert list(frame(str(data), "licenses_on(date '2026-03-01')")["name"].fillna("?")) == ["Ada", "?"]
    assert list(frame(data, "select seats from seats_on($day)", {"day": DAY})["seats"]) == [2]
    assert list(frame(data, "licenses_on(?)", [DAY])["holder_id"]) == ["ada", "bob"]


@pytest.mark.parametrize(
    "asked", ["license_history;", " licenses_on(date '2026-03-01') ;\n", "select * from license_history; "]
)
def test_a_semicolon_at_the_end_does_no_harm(data: Path, asked: str) -> None:
    assert len(frame(data, asked)) == 2


@pytest.mark.parametrize("asked", ["", " ; ", "-- nothing", "set TimeZone = 'UTC'", "use memory", "select 1; begin"])
def test_what_gives_no_rows_is_refused_in_words(data: Path, asked: str) -> None:
    with pytest.raises(LicenseHistoryError, match="gives no rows: ask a relation, a macro or a query"):
        frame(data, asked)


def test_types_that_no_relation_has_stay_as_pandas_has_them(data: Path) -> None:
    query = "select [1], {'one': 1}, cast('a' as enum('a', 'b')), time '08:00'"
    assert [str(kind) for kind in frame(data, query).dtypes] == ["object", "object", "category", "object"]


def test_nobody_is_locked_out_nor_stopped_by_a_lock(world: World, data: Path) -> None:
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    holder = [sys.executable, "-c", hold, str(world.tree.warehouse)]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert len(frame(data, "license_history")) == 2
        other.communicate()
    with duckdb.connect(str(world.tree.warehouse)) as writer:
        writer.execute("begin; create table own as select 1; rollback")


def test_a_notebooks_own_connection_stays_as_it_is(world: World, data: Path) -> None:
    settings = "select current_setting('enable_external_access'), current_setting('TimeZone')"
    with duckdb.connect(str(world.tree.warehouse), read_only=True) as own:
        own.execute("set TimeZone = 'America/New_York'")
        frame(data, "license_history")
        assert own.execute(settings).fetchall() == [(True, "America/New_York")]


def test_without_a_warehouse_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LicenseHistoryError, match="take a snapshot first"):
        frame(tmp_path, "license_history")


def test_pandas_is_not_imported_before_somebody_wants_a_frame() -> None:
    subprocess.run(
        [sys.executable, "-c", "import sys, assets.warehouse.frames; assert 'pandas' not in sys.modules"], check=True
    )
