"""DuckDB as this project uses it: in memory, in UTC, within a bound, and never on the network."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

MEMORY_LIMIT = "400MB"
"""Beyond it DuckDB spills to disk: a million holders must pass within 1 GiB of process memory."""


@contextmanager
def engine(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A private in-memory database that spills beneath `scratch`."""
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch, prefix=".spill-") as spill, duckdb.connect(":memory:") as connection:
        settings = {"temp_directory": spill, "memory_limit": MEMORY_LIMIT, "TimeZone": "UTC"}
        for name, value in settings.items():
            connection.execute(f"set {name} = '{quoted(value)}'")
        connection.execute("set autoinstall_known_extensions = false")
        connection.execute("set enable_progress_bar = false")
        yield connection


def parquet_view(
    connection: duckdb.DuckDBPyConnection, name: str, paths: Iterable[str | Path], columns: pa.Schema, *, day: str = ""
) -> None:
    """Make a relation with exactly `columns` of Parquet files, whichever version of this program wrote them.

    A column that no file has is null everywhere, one that some lack is null there. `day` names the day in the files'
    paths: with it, that day and `organization_id` are those of the two folders right above each file. DuckDB's own way
    with such folders would take every `column=value` above the data directory for a column of ours, too.
    """
    connection.execute(f"drop table if exists {name}_shape")
    connection.from_arrow(columns.empty_table()).create(f"{name}_shape")
    files = [literal(path) for path in paths]
    if not files:
        connection.execute(f"create or replace view {name} as from {name}_shape")
        return
    source = f"read_parquet(getvariable('{name}_files'), union_by_name = true, hive_partitioning = false)"
    connection.execute(f"set variable {name}_files = $files", {"files": files})
    there = {column for column, *_ in connection.execute(f"describe from {source}").fetchall()}
    folders = _folders(day) if day else {}
    parts = [
        f'{folders[column]} as "{column}"'
        if column in folders
        else f'"{column}"'
        if column in there
        else f'cast(null as {kind}) as "{column}"'
        for column, kind, *_ in connection.execute(f"describe {name}_shape").fetchall()
    ]
    connection.execute(f"create or replace view {name} as select {', '.join(parts)} from {source}")


def _folders(day: str) -> dict[str, str]:
    """What the two folders right above a file say, by column; DuckDB skips files by it as by columns of its own."""
    return {
        day: f"cast(regexp_extract(filename, '/{day}=([^/]+)/[^/]+/[^/]+$', 1) as date)",
        "organization_id": "regexp_extract(filename, '/organization_id=([^/]+)/[^/]+$', 1)",
    }


def literal(path: str | Path) -> str:
    """A path as DuckDB's readers must be given it: they take `[`, `*` and `?` for patterns, and read what fits them."""
    return _PATTERNS.sub(r"[\g<0>]", str(path))


_PATTERNS = re.compile(r"[\[*?]")


def quoted(value: object) -> str:
    """For the inside of a SQL string, where no parameter can stand."""
    return str(value).replace("'", "''")


def sql_file(module_file: str, name: str) -> str:
    """The text of `sql/<name>.sql` beside a module."""
    return (Path(module_file).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def make(
    connection: duckdb.DuckDBPyConnection, module_file: str, relation: str, name: str = "", **parameters: object
) -> None:
    """Make a relation by the query in `sql/<name>.sql` beside a module, again where it exists."""
    query = sql_file(module_file, name or relation)
    connection.execute(f"create or replace table {relation} as {query}", parameters or None)
