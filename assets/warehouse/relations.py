"""What the warehouse holds: one relation a file under `sql/`, in the order in which they read one another.

`sql/*.sql` are the tables and views that analysts ask, `sql/macros` those that take a day or a name, `sql/internal`
what the others stand on. Comments are in `comments.toml`; no relation and no column goes without one.
"""

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from assets.assignments import schema
from assets.engine import quoted

FOLDER = Path(__file__).parent / "sql"
_READS = re.compile(r"\b(?:from|join)\s+((?:internal\.)?\w+)")


class Kind(StrEnum):
    TABLE = "table"
    VIEW = "view"
    MACRO = "macro table"


@dataclass(frozen=True)
class Relation:
    """One `.sql` file; `name` is how queries call it."""

    name: str
    path: Path

    @cached_property
    def sql(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def kind(self) -> Kind:
        if self.path.parent.name == "macros":
            return Kind.MACRO
        return Kind.VIEW if f"create view {self.name} as" in self.sql else Kind.TABLE

    @property
    def is_internal(self) -> bool:
        return self.path.parent.name == "internal"

    @cached_property
    def reads(self) -> set[str]:
        """The names that the query selects from; names of its own CTEs among them."""
        return set(_READS.findall(self.sql)) - {self.name}

    @property
    def comment(self) -> str:
        """One line: what it is, and its grain."""
        return comments()[self.name]["comment"]


@cache
def relations() -> tuple[Relation, ...]:
    """All relations, each after those that it reads."""
    found = {
        prefix + path.stem: Relation(prefix + path.stem, path)
        for folder, prefix in ((FOLDER / "internal", "internal."), (FOLDER, ""), (FOLDER / "macros", ""))
        for path in sorted(folder.glob("*.sql"))
    }
    order = TopologicalSorter({name: sorted(found[name].reads & found.keys()) for name in found}).static_order()
    return tuple(found[name] for name in order)


def create(connection: duckdb.DuckDBPyConnection, relation: Relation) -> None:
    """Make a relation in the connection's current database, with its comments."""
    sql = relation.sql if relation.kind != Kind.TABLE else f"create table {relation.name} as {relation.sql}"
    connection.execute(sql)
    connection.execute(f"comment on {relation.kind.value} {relation.name} is '{quoted(relation.comment)}'")
    if relation.kind == Kind.MACRO:  # its columns cannot bear comments
        return
    for column, *_ in connection.execute(f"describe {relation.name}").fetchall():
        text = quoted(column_comment(relation.name, column))
        connection.execute(f"comment on column {relation.name}.{column} is '{text}'")


def column_comment(relation: str, column: str) -> str:
    """What a column means: the relation's own word for it, else the shared one.

    Raises:
        KeyError: nobody has said what it means.
    """
    return comments()[relation].get(column) or comments()["columns"][column]


@cache
def comments() -> dict[str, dict[str, str]]:
    """Every relation's own and its columns' comments; `columns` holds those that several relations share."""
    found: dict[str, dict[str, str]] = tomllib.loads((Path(__file__).parent / "comments.toml").read_text("utf-8"))
    found["columns"] = schema.comments(schema.USAGE) | schema.comments(schema.LICENSE_ASSIGNMENTS) | found["columns"]
    return found
