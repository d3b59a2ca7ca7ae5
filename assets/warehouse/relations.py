"""What the warehouse holds: one relation a file in the subjects' folders, in the order in which they read one another.

`sql/*.sql` are the tables and views that analysts ask, `macros/` those that take a day or a name, `sql/internal/` what
the others stand on, `sql/temp/` what is there only while they are made. No relation and no column that is published
goes without a comment.
"""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from assets.engine import quoted
from assets.warehouse.header import header
from assets.warehouse.subject import Subject, Subjects

PLACES = {"sql/temp": "temp.", "sql/internal": "internal.", "sql": "", "macros": ""}
"""Each folder of a subject, and how queries call what is in it."""


class Kind(StrEnum):
    TABLE = "table"
    VIEW = "view"
    MACRO = "macro table"
    PASSING = "temp view"
    """Gone when the file is made; so only tables may read it."""


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
        if self.path.parent.name == "temp":
            return Kind.PASSING
        return Kind.VIEW if f"create view {self.name} as" in self.sql else Kind.TABLE

    @property
    def is_internal(self) -> bool:
        """Whether only other relations read it."""
        return self.path.parent.name in ("internal", "temp")

    @cached_property
    def reads(self) -> frozenset[str]:
        """The names that the query selects from, as it says itself."""
        return header(self.sql).reads

    @property
    def comment(self) -> str:
        """One line: what it is and its grain, its key, and what it refers to."""
        key = f" Key: {', '.join(self.key)}." if self.key else ""
        return (
            str(self._told["comment"])
            + key
            + "".join(f" Refers to {other} by {ours}." for ours, other in self.refers.items())
        )

    @property
    def key(self) -> list[str]:
        """The columns that tell its rows apart, nulls counting as values; declared, they would cost an index that is
        several times as large as the table."""
        return list(self._told.get("key", []))

    @property
    def refers(self) -> dict[str, str]:
        """Columns, and the relation of whose key they are a value."""
        return dict(self._told.get("refers", {}))

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
        for folder, prefix in PLACES.items()
        for one in subjects
        for path in sorted((one.folder / folder).glob("*.sql"))
    }
    order = TopologicalSorter({name: sorted(found[name].reads & found.keys()) for name in found}).static_order()
    return tuple(found[name] for name in order)


def create(connection: duckdb.DuckDBPyConnection, relation: Relation) -> None:
    """Make a table or view in the connection's current database, with its comments; macros are made apart
    (`assets/warehouse/attached.py`)."""
    if relation.kind == Kind.PASSING:
        connection.execute(f"create or replace temp view {relation.path.stem} as {relation.sql}")
        return
    connection.execute(
        relation.sql if relation.kind != Kind.TABLE else f"create table {relation.name} as {relation.sql}"
    )
    connection.execute(f"comment on {relation.kind.value} {relation.name} is '{quoted(relation.comment)}'")
    explain_columns(connection, relation, relation.name)


def explain_columns(connection: duckdb.DuckDBPyConnection, relation: Relation, place: str) -> None:
    """Give the columns of a table or view, which may stand in for the relation at another place, their comments."""
    columns = [column for column, *_ in connection.execute(f"describe {place}").fetchall()]
    connection.execute(
        ";".join(f"comment on column {place}.{one} is '{quoted(relation.column_comment(one))}'" for one in columns)
    )
