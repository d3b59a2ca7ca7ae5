"""`licenses sql`: any form, read-only, and a sentence where there is nothing to ask."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from assets.layout import DataDirectory
from assets.warehouse.reading import opened
from tests.commandline import Finished, licenses

Ask = Callable[..., Finished]
HEAVY = {"dagster", "httpx", "numpy", "pandas", "pyarrow", "pydantic", "sqlalchemy"}
"""Packages of which each takes as long to load as a question does."""


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """`licenses sql` on a small warehouse."""
    (tmp_path / "data").mkdir()
    with duckdb.connect(str(tmp_path / "data" / "warehouse.duckdb")) as connection:
        connection.execute(
            """create table seats as select * from (values
                (date '2026-06-01', 'Zoë, "Z"', 12, timestamptz '2026-06-01 10:00:00+00', ['a', 'b']),
                (date '2026-06-02', null, null, null, null)
            ) t(day, name, seats, seen, words)"""
        )

    def asked(*words: str) -> Finished:
        return licenses("sql", *words, environment={"LICENSES_DATA_DIR": "data"}, folder=tmp_path)

    return asked


def test_a_table_for_people_is_the_default(ask: Ask):
    finished = ask("select day, name, seats from seats order by day")
    assert (finished.status, finished.err) == (0, "")
    lines = [line.split() for line in finished.out.splitlines()]
    assert lines == [["day", "name", "seats"], ["2026-06-01", "Zoë,", '"Z"', "12"], ["2026-06-02"]]


def test_a_long_table_is_cut_and_says_so(ask: Ask):
    finished = ask("select * from range(1000)")
    assert "800 more rows" in finished.out
    assert "--format csv" in finished.out


def test_as_many_rows_as_a_table_shows_are_all_of_them(ask: Ask):
    assert "more rows" not in ask("select * from range(200)").out
    assert "1 more rows; --format csv gives all 201." in ask("select * from range(201)").out


def test_columns_of_the_same_name_are_all_shown(ask: Ask):
    lines = ask("select 1 as a, 2 as a").out.splitlines()
    assert [line.split() for line in lines] == [["a", "a"], ["1", "2"]]


def test_csv_gives_all_rows_with_everything_quoted_that_must_be(ask: Ask):
    finished = ask("select day, name, seats, words from seats order by day", "--format", "csv")
    rows = duckdb.read_csv(io.StringIO(finished.out), header=True).fetchall()
    assert [(str(row[0]), *row[1:]) for row in rows] == [
        ("2026-06-01", 'Zoë, "Z"', 12, "['a', 'b']"),
        ("2026-06-02", None, None, None),
    ]
    assert len(ask("select * from range(1000)", "--format", "csv").out.splitlines()) == 1001


def test_json_gives_a_list_of_objects(ask: Ask):
    told = json.loads(ask("select * from seats order by day", "--format", "json").out)
    assert told[0] | {"seen": None} == {
        "day": "2026-06-01",
        "name": 'Zoë, "Z"',
        "seats": 12,
        "seen": None,
        "words": ["a", "b"],
    }
    assert told[0]["seen"].startswith("2026-06-01T10:00:00")
    assert told[1] == {"day": "2026-06-02", "name": None, "seats": None, "seen": None, "words": None}


def test_parquet_goes_to_a_pipe_or_a_file(ask: Ask, tmp_path: Path):
    piped = ask("select * from seats order by day", "--format", "parquet")
    assert pq.read_table(io.BytesIO(piped.raw)).to_pylist()[0]["seats"] == 12
    filed = ask("select * from seats", "--format", "parquet", "--output", str(tmp_path / "seats.parquet"))
    assert filed.raw == b""
    assert pq.read_table(tmp_path / "seats.parquet").num_rows == 2


def test_csv_and_json_go_to_a_file_too(ask: Ask, tmp_path: Path):
    for form in ("csv", "json"):
        query, place = "select day, seats from seats", tmp_path / f"seats.{form}"
        shown = ask(query, "--format", form)
        assert ask(query, "--format", form, "-o", str(place)).raw == b""
        assert place.read_bytes() == shown.raw


@pytest.mark.parametrize(
    "statement",
    [
        "delete from seats",
        "create table scribble as select 1",
        "update seats set seats = 0",
        "drop table seats",
        "copy seats to 'elsewhere.csv'",
        "attach 'other.duckdb'",
        "select * from read_csv('/etc/passwd')",
        "set enable_external_access = true",
        "export database 'all'",
    ],
)
def test_nothing_can_be_written_and_no_other_file_be_read(ask: Ask, tmp_path: Path, statement: str):
    warehouse = tmp_path / "data" / "warehouse.duckdb"
    before, names = warehouse.read_bytes(), {path.name for path in tmp_path.rglob("*")}
    refused = ask(statement)
    assert refused.status == 2
    assert refused.err.startswith("licenses: the warehouse says: ")
    assert "Traceback" not in refused.err
    assert warehouse.read_bytes() == before
    assert {path.name for path in tmp_path.rglob("*")} == names


def test_a_mistake_in_the_question_is_told_with_its_place(ask: Ask):
    refused = ask("select sets from seats")
    assert refused.status == 2
    assert 'column "sets" not found' in refused.err.lower() or "sets" in refused.err
    assert "Traceback" not in refused.err


def test_a_form_that_does_not_exist_is_wrong_use(ask: Ask):
    assert ask("select 1", "--format", "xml").status == 2


def test_times_are_told_in_utc(ask: Ask):
    assert "2026-06-01 10:00:00" in ask("select cast(seen as varchar) as seen from seats where seats = 12").out


def test_without_a_warehouse_there_is_a_sentence(tmp_path: Path):
    refused = licenses("sql", "select 1", environment={"LICENSES_DATA_DIR": "empty"}, folder=tmp_path)
    assert refused.status == 1
    assert refused.err.startswith(f"licenses: There is no warehouse yet in {tmp_path / 'empty'}: take a snapshot first")
    assert not (tmp_path / "empty").exists()


def test_a_warehouse_that_is_none_is_told_in_a_sentence(ask: Ask, tmp_path: Path):
    (tmp_path / "data" / "warehouse.duckdb").write_bytes(b"not a database at all" * 1000)
    refused = ask("select 1")
    assert refused.status == 1
    assert "Traceback" not in refused.err
    assert refused.err.startswith("licenses: ")


def test_what_does_not_fit_into_memory_goes_into_the_data_directory_and_leaves_it_again(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LICENSES_MEMORY", "20MB")
    assert ask("select 1").status == 0
    data = DataDirectory(tmp_path / "data")
    with opened(data) as warehouse:
        warehouse.execute("create temp table t as select i, hash(i)::varchar as h from range(3_000_000) as r(i)")
        assert list(data.root.glob(".spill-*/*.tmp"))
    assert [path.name for path in data.root.iterdir()] == ["warehouse.duckdb"]


def test_a_query_that_needs_more_memory_than_allowed_is_one_sentence(ask: Ask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LICENSES_MEMORY", "4MB")
    finished = ask("select list(i) from range(1_000_000) as r(i)")
    assert (finished.status, finished.err) == (
        1,
        "licenses: memory ran out: LICENSES_MEMORY allows DuckDB 4MB; set it to more, such as 8MB.\n",
    )


@pytest.mark.parametrize("word", ["select * from seats", "--help"])
def test_a_question_loads_no_package_that_takes_longer_than_its_answer(ask: Ask, tmp_path: Path, word: str):
    command = [sys.executable, "-X", "importtime", "-c", "from pipelines.cli import main; main()", "sql", word]
    environment = os.environ | {"LICENSES_DATA_DIR": str(tmp_path / "data")}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in finished.stderr.splitlines()}
    assert "pipelines.cli.app" in loaded
    assert loaded & HEAVY == set()
