"""What the warehouse holds: one relation a file in the subjects' folders, in the order in which they read one another.

`sql/*.sql` are the tables and views that analysts ask, `macros/` those that take a day or a name, `sql/internal/` what
the others stand on. No relation and no column goes without a comment.
"""

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from assets.engine import quoted
from assets.warehouse.subject import Subject, Subjects

_READS = re.compile(r"\b(?:from|join)\s+((?:internal\.)?\w+)")


class Kind(StrEnum):
    TABLE = "table"
    VIEW = "view"
    MACRO = "macro table"


@dataclass(frozen=True)
class Relation:
    """One `.sql` file of a subject, and beside it a `.toml` that explains it; `name` is how queries call it."""

    name: str
    path: Path
    subject: Subject

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
        return str(self._told["comment"])

    def column_comment(self, column: str) -> str:
        """What a column means: the relation's own word for it, else the one that several relations share.

        Raises:
            KeyError: nobody has said what it means.
        """
        own: dict[str, str] = self._told.get("columns", {})
        return own.get(column) or shared_columns(self.subject)[column]

    @cached_property
    def _told(self) -> dict[str, Any]:
        return tomllib.loads(self.path.with_suffix(".toml").read_text(encoding="utf-8"))


@cache
def shared_columns(subject: Subject) -> dict[str, str]:
    """Comments of the columns that several of a subject's relations have."""
    place = subject.folder / "sql" / "columns.toml"
    own = tomllib.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    return {**subject.columns, **own}


@cache
def relations(subjects: Subjects) -> tuple[Relation, ...]:
    """All relations, each after those that it reads."""
    found = {
        prefix + path.stem: Relation(prefix + path.stem, path, one)
        for folder, prefix in (("sql/internal", "internal."), ("sql", ""), ("macros", ""))
        for one in subjects
        for path in sorted((one.folder / folder).glob("*.sql"))
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
        text = quoted(relation.column_comment(column))
        connection.execute(f"comment on column {relation.name}.{column} is '{text}'")
