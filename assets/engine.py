"""DuckDB as this project uses it: in memory, in UTC, within a bound, and never on the network."""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

from assets.errors import NoRoom
from assets.room import FULL, limits, memory, out_of_memory, out_of_spill

if TYPE_CHECKING:  # whoever only asks the warehouse needs no Arrow, and it takes longer to load than they wait
    import pyarrow as pa

SPILL = ".spill-"
"""How the folders begin into which DuckDB spills."""
BYTES_A_THREAD = 100_000_000
"""With sixteen threads a million holders do not fit into 400 MB, with four they do."""
OWNER = ".owner.lock"
"""A file in a passing folder, locked as long as its process lives: so a sweep knows what a dead one has left."""


@contextmanager
def engine(scratch: Path, *, alone: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A private in-memory database that spills beneath `scratch`.

    `alone` is for many statements of few milliseconds: a second thread costs each of them more than it takes off it.

    Raises:
        NoRoom: memory or disk did not suffice.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with short_in_words(), spilling(scratch) as spill, duckdb.connect(":memory:") as connection:
        bound(connection, limits(memory()).first, spill)
        if alone:
            connection.execute("set threads = 1")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set autoinstall_known_extensions = false")
        connection.execute("set enable_progress_bar = false")
        yield connection


@contextmanager
def spilling(place: Path) -> Iterator[Path]:
    """A folder in `place` for what does not fit into memory."""
    while True:
        with TemporaryDirectory(dir=place, prefix=SPILL, ignore_cleanup_errors=True) as folder:
            try:
                owner = os.open(Path(folder) / OWNER, os.O_RDWR | os.O_CREAT)
            except FileNotFoundError:
                continue  # a sweep found it before it was locked
            try:
                with suppress(OSError):  # a disk without locks: nobody sweeps there
                    fcntl.flock(owner, fcntl.LOCK_EX)
                if os.fstat(owner).st_nlink:
                    yield Path(folder)
                    return
            finally:
                os.close(owner)


def bound(connection: duckdb.DuckDBPyConnection, limit: int, spill: Path | None) -> None:
    """Hold a connection to so many bytes of memory; what is beyond them goes into the folder `spill`, if any."""
    connection.execute(f"set temp_directory = '{quoted(spill or '')}'")
    _limit(connection, limit)


def _limit(connection: duckdb.DuckDBPyConnection, limit: int) -> None:
    """Memory, and no more threads than can work within it: each holds pages of its own."""
    connection.execute(f"set memory_limit = '{limit}B'")
    connection.execute("reset threads")
    ((cores,),) = connection.execute("select current_setting('threads')").fetchall()
    connection.execute(f"set threads = {max(1, min(cores, limit // BYTES_A_THREAD))}")


def has_more_memory(connection: duckdb.DuckDBPyConnection) -> bool:
    """Let the connection have all that it may, so that what did not fit can be done again; whether that is more."""
    before = _limit_of(connection)
    _limit(connection, limits(memory()).last)
    return _limit_of(connection) != before


def _limit_of(connection: duckdb.DuckDBPyConnection) -> object:
    return connection.execute("select current_setting('memory_limit')").fetchall()


def roomily(
    connection: duckdb.DuckDBPyConnection, statement: str, parameters: Mapping[str, object] | None = None
) -> None:
    """Execute a statement that can be repeated: again, with more memory, where it runs out of the little one."""
    try:
        connection.execute(statement, parameters)
    except duckdb.OutOfMemoryException:
        if not has_more_memory(connection):
            raise
        connection.execute(statement, parameters)


@contextmanager
def short_in_words() -> Iterator[None]:
    """Within it, memory or disk that DuckDB or Arrow runs out of is a `NoRoom`; anything else stays what it is."""
    try:
        yield
    except (duckdb.Error, MemoryError) as error:
        if words := shortage(error):
            raise NoRoom(f"{words}.") from error
        raise


def shortage(error: duckdb.Error | MemoryError) -> str:
    """That memory or disk ran out, and which setting gives more; empty where the trouble is another."""
    if isinstance(error, MemoryError):
        return out_of_memory()
    if isinstance(error, duckdb.OutOfMemoryException):
        return out_of_spill() if "max_temp_directory_size" in str(error) else out_of_memory()
    full = (words for number, words in FULL.items() if os.strerror(number) in str(error))
    return next((f"{_file_in(error)}{words}" for words in full), "")


def _file_in(error: duckdb.Error) -> str:
    found = re.search(r'file "([^"]+)"', str(error))
    return f"{found[1]}: " if found else ""


def parquet_view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    paths: Iterable[str | Path],
    columns: "pa.Schema",
    *,
    day: str = "",
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
    roomily(connection, f"create or replace table {relation} as {query}", parameters or None)
