"""DuckDB as this project uses it: in memory, in UTC, within a bound, and never on the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

MEMORY_LIMIT = "400MB"
"""Beyond it DuckDB spills to disk: a million holders must pass within 1 GiB of process memory."""


@contextmanager
def engine(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A private in-memory database that spills beneath `scratch`."""
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch, prefix=".spill-") as spill, duckdb.connect(":memory:") as connection:
        settings = {"temp_directory": spill, "memory_limit": MEMORY_LIMIT, "TimeZone": "UTC"}
        for name, value in settings.items():
            connection.execute(f"set {name} = '{value}'")
        connection.execute("set autoinstall_known_extensions = false")
        connection.execute("set enable_progress_bar = false")
        yield connection


def sql_file(module_file: str, name: str) -> str:
    """The text of `sql/<name>.sql` beside a module."""
    return (Path(module_file).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
