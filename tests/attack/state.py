"""What a data directory says, apart from what differs from run to run: run ids, and what was asked how often."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

RUN = {"run_id", "loaded_by", "observation"}
"""Columns that name a run, or which of several observations was derived from."""
NOT_COUNTED = re.compile(r"dagster(/.*)?|staging|landing/[^/]+/[^/]+/.+|(.*/)?\.[a-z]+\.lock")
"""Dagster's own files, the folders of observations (an attempt that failed stays on record), and locks."""
TEMPORARY = re.compile(r".*\.(tmp|replaced|wal)")
"""What nobody may leave anywhere."""
PUBLISHED = ("snapshots", "usage", "superseded", "restatements", "finance")

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class State:
    """`relations` of the warehouse (None where there is none), `files` that are published, `paths` of everything."""

    relations: dict[str, Rows] | None
    files: dict[str, Any]
    paths: frozenset[str]


def state(data: Path) -> State:
    """All that can be read there, now, by somebody who comes anew."""
    return State(_warehouse(data / "warehouse.duckdb"), _files(data), _paths(data))


def read(connection: duckdb.DuckDBPyConnection) -> dict[str, Rows]:
    """The rows of every relation that analysts see."""
    names = connection.execute(
        """select table_name, list(column_name order by column_index) from duckdb_columns()
        where schema_name = 'main' and database_name = current_database() and not internal group by 1 order by 1"""
    ).fetchall()
    found = {}
    for relation, columns in names:
        kept = ", ".join(f'"{column}"' for column in columns if column not in RUN)
        found[relation] = connection.execute(f'select {kept} from "{relation}" order by all').fetchall()
    return found


def _warehouse(path: Path) -> dict[str, Rows] | None:
    if not path.exists():
        return None
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return read(connection)


def _files(data: Path) -> dict[str, Any]:
    """Each published file, read whole."""
    files = {}
    for folder in PUBLISHED:
        for path in sorted((data / folder).rglob("*")):
            name = str(path.relative_to(data))
            if path.suffix == ".parquet":
                table = pq.ParquetFile(path).read()
                files[name] = table.drop_columns([column for column in table.column_names if column in RUN]).to_pylist()
            elif path.suffix == ".json":
                files[name] = json.loads(path.read_bytes())
    return files


def _paths(data: Path) -> frozenset[str]:
    """Every path that must be there, or must not."""
    names = (str(path.relative_to(data)) for path in data.rglob("*"))
    return frozenset(
        name
        for name in names
        if not NOT_COUNTED.fullmatch(name) or (TEMPORARY.fullmatch(name) and not name.startswith("dagster/"))
    )
