"""The file itself: explained throughout, the same in every time zone, and refused where it contradicts itself."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from assets.engine import engine
from assets.history.inputs import gather
from assets.warehouse import checks, made_by
from assets.warehouse.checks import ChecksFailed
from assets.warehouse.relations import Kind, relations
from pipelines.subjects import SUBJECTS
from tests.history.snapshots import Snapshot, World, ask, write, write_usage
from tests.warehouse.keys import SHOWN, broken

ONE = Snapshot("org", date(2026, 3, 1), {"user": {"ada": {"name": "Ada"}}})
DAY, DAYS = "date '2026-03-01'", "date '2026-03-01', date '2026-03-02'"
ARGUMENTS = dict.fromkeys(("seats_between", "changes_between", "licenses_known_at"), DAYS) | {
    "holder_timeline": "'ada'"
}
TWO = Snapshot("org", date(2026, 3, 2), {"user": {"ada": {"name": "Ada"}, "bob": {}}})


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One day, for tests that only look at it."""
    made = World(tmp_path_factory.mktemp("published"))
    made.publish(ONE)
    return made


def test_every_relation_and_every_column_has_a_comment(published: World) -> None:
    without = published.ask(
        """select table_name, column_name from duckdb_columns() where not internal and coalesce(comment, '') = ''
        union all select view_name, '' from duckdb_views() where not internal and coalesce(comment, '') = ''
        union all select table_name, '' from duckdb_tables() where coalesce(comment, '') = ''
        union all select function_name, '' from duckdb_functions()
            where not internal and function_type = 'table_macro' and coalesce(comment, '') = ''"""
    )
    assert without == []


def test_every_column_of_a_macro_is_explained_for_the_data_dictionary(published: World) -> None:
    for relation in relations(SUBJECTS):
        if relation.kind == Kind.MACRO:
            given = ARGUMENTS.get(relation.name, DAY)
            for column, *_ in published.ask(f"describe from {relation.name}({given})"):
                assert relation.column_comment(column)


def test_what_answers_from_the_file_reads_nothing_that_was_there_only_while_it_was_made() -> None:
    for relation in relations(SUBJECTS):
        if relation.kind in (Kind.VIEW, Kind.MACRO):
            assert [name for name in relation.reads if name.startswith(("temp.", "inputs."))] == [], relation.name


def test_no_column_is_of_a_type_that_data_frames_cannot_read(published: World) -> None:
    with duckdb.connect(str(published.tree.warehouse), read_only=True) as connection:
        for relation in relations(SUBJECTS):
            if relation.kind != Kind.PASSING:
                given = f"({ARGUMENTS.get(relation.name, DAY)})" if relation.kind == Kind.MACRO else ""
                found = connection.sql(f"from {relation.name}{given}").to_arrow_table().schema
                kinds = {one.name: one.type for one in found if not readable(one.type)}
                # bits of days, and instants: only our own queries ask for them
                assert all(relation.is_internal and is_for_queries(kind) for kind in kinds.values()), relation.name


def readable(kind: pa.DataType) -> bool:
    """By polars and pandas: an interval of months, days and nanoseconds is not, nor a number wider than 64 bits."""
    if pa.types.is_list(kind):
        return readable(kind.value_type)
    plain = (pa.types.is_string, pa.types.is_boolean, pa.types.is_date32, pa.types.is_timestamp, pa.types.is_decimal)
    return kind in (pa.int32(), pa.int64()) or any(is_plain(kind) for is_plain in plain)


def is_for_queries(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_struct(kind.value_type if pa.types.is_list(kind) else kind)


def test_every_relation_says_by_which_columns_its_rows_are_told_apart(world: World) -> None:
    assert [one.name for one in SHOWN if not one.key] == ["reconstruction_conflicts"]  # some are of no activity
    world.publish(ONE, TWO)
    assert broken(world.tree.warehouse) == []
    with duckdb.connect(str(world.tree.warehouse)) as connection:
        connection.execute("insert into internal.license_stretches from internal.license_stretches")
        connection.execute("delete from snapshot_log")
    found = broken(world.tree.warehouse)
    assert "license_history: organization_id, holder_type, holder_id, valid_from" in found
    assert "license_events: organization_id, event_date" in found


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_no_answer_depends_on_the_sessions_time_zone(world: World, zone: str) -> None:
    write_usage(world.tree.staging("run 1"), "org", ONE.day, [{"holder_id": "ada", "usage_date": ONE.day}])
    world.publish(ONE, TWO)
    queries = [
        "select epoch_us(last_used_at), snapshot_date from license_snapshots order by all",
        "select holder_id, valid_from from licenses_on(date '2026-03-02') order by all",
        "select epoch_us(last_used_at), days_since_last_use from unused_licenses order by all",
    ]
    with duckdb.connect(str(world.tree.warehouse), read_only=True) as connection:
        connection.execute(f"set TimeZone = '{zone}'")
        for query in queries:
            assert connection.execute(query).fetchall() == world.ask(query)


def test_views_and_macros_answer_from_wherever_the_file_lies(world: World, tmp_path: Path) -> None:
    world.publish(ONE)
    moved = tmp_path / "elsewhere.duckdb"
    world.tree.warehouse.rename(moved)
    assert ask(moved, "select holder_id from licenses_on(date '2026-03-01')") == [("ada",)]
    assert ask(moved, "select count(*) from license_snapshots") == [(1,)]


@pytest.mark.slow
def test_a_failing_check_keeps_the_old_warehouse_and_says_what_differs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish(ONE)
    before = world.tree.warehouse.read_bytes()
    query = "select format('{} is called {}', holder_id, name) as finding from license_history where name is not null"
    monkeypatch.setattr(checks, "checks", lambda _: {"nobody_has_a_name": query})
    with pytest.raises(ChecksFailed, match="nobody has a name: ada is called Ada") as failed:
        world.publish(TWO)
    assert [finding.count for finding in failed.value.findings] == [1]
    assert world.tree.warehouse.read_bytes() == before
    assert len(list(world.tree.snapshots.rglob("*.parquet"))) == 1


@pytest.mark.slow
def test_a_snapshot_that_holds_another_number_than_it_counted_is_refused(world: World) -> None:
    world.publish(ONE)
    miscounted = Snapshot("org", TWO.day, TWO.rosters, counts={"users": 3})
    with pytest.raises(ChecksFailed, match="user on 2026-03-02: 3 counted in the snapshot, 2 seats in the counts"):
        world.publish(miscounted)


def test_rows_of_a_roster_that_is_said_to_be_unknown_are_refused(world: World) -> None:
    doubtful = Snapshot("org", ONE.day, ONE.rosters, counts={"users": None})  # type: ignore[dict-item]
    with pytest.raises(ChecksFailed, match=r"ada on .* only in the snapshot file"):
        world.publish(doubtful)


@pytest.mark.slow
@pytest.mark.parametrize(
    "tamper",
    [
        "delete from internal.license_stretches",
        "update internal.license_stretches set name = 'Eve'",
        "update internal.build_info set made_by = 'another version'",
        "drop table internal.build_info",
    ],
)
def test_a_warehouse_that_somebody_changed_is_not_built_upon(world: World, tamper: str) -> None:
    world.publish(ONE)
    with duckdb.connect(str(world.tree.warehouse)) as connection:
        connection.execute(tamper)
    world.publish(TWO)
    assert world.ask("from license_history") == ask(world.anew(), "from license_history")


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["snapshots/sql/watched.sql", "finance/prices.py", "snapshots/usage_sources.csv"])
def test_a_warehouse_that_other_code_made_is_not_built_upon_whichever_part_differs(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    world.publish(ONE)
    other = tmp_path / "assets"
    shutil.copytree(made_by.CODE, other, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(made_by, "CODE", other)
    made_by.made_by.cache_clear()
    assert read_again(world) == []
    (other / changed).write_text((other / changed).read_text() + "\n")
    made_by.made_by.cache_clear()
    assert read_again(world) == [ONE.day]


@pytest.fixture(autouse=True)
def _hashed_anew() -> Iterator[None]:
    yield
    made_by.made_by.cache_clear()


def read_again(world: World) -> list[date]:
    with engine(world.root) as connection:
        return [file.day for file in gather(connection, world.tree, world.tree.staging("next")).days_to_read]


def test_one_more_day_is_all_that_is_read_again(world: World) -> None:
    world.publish(ONE)
    write(world.tree.staging("next"), TWO)
    assert read_again(world) == [TWO.day]


@pytest.mark.slow
def test_a_damaged_warehouse_is_built_anew(world: World) -> None:
    world.publish(ONE)
    world.tree.warehouse.write_bytes(b"not a database")
    world.publish(TWO)
    assert world.ask("select count(*) from license_history") == [(2,)]
