"""What the warehouse holds: one relation a file in the subjects' folders, in the order in which they read one another.

`sql/*.sql` are the tables and views that analysts ask, `macros/` those that take a day or a name, `sql/internal/` what
the others stand on, `sql/temp/` what is there only while they are made. No relation and no column that is published
goes without a comment.
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
from assets.warehouse.header import header
from assets.warehouse.subject import Subject, Subjects

PLACES = {"sql/temp": "temp.", "sql/internal": "internal.", "sql": "", "macros": ""}
"""Each folder of a subject, and how queries call what is in it."""
KNOWN = "temp.known_"
"""How queries call what an internal relation held before, where it is taken over; else it is empty."""
CHOICE = re.compile(r"\n *semi join temp\.changed_\w+(?: as \w+)?(?: using \([^)]*\)|(?:\n +(?:on|and) [^\n]+)+)")
"""How a query chooses whose rows to make, where the others are taken over: in lines of their own."""


class Kind(StrEnum):
    TABLE = "table"
    VIEW = "view"
    MACRO = "macro table"
    PASSING = "temp view"
    """Gone when the file is made; so only tables may read it. What queries are to know as a constant is a variable;
    what chooses the few rows that are made again, a table."""


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
    def of_all(self) -> str:
        """The query as it makes all rows, where nothing is taken over: without those lines that choose whose."""
        if f"set variable {self.path.stem} =" in self.sql:
            return self.sql
        return CHOICE.sub("", self.sql).replace("create or replace temp table", "create or replace temp view")

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
    def amended_for(self) -> str | None:
        """The passing relation that tells whose rows are made again where the others are taken over as they were; its
        columns are all among ours, and nulls count as values. Without one, all rows are made again."""
        return self._told.get("amended_for") if self.kind == Kind.TABLE else None

    @property
    def known(self) -> dict[str, str]:
        """What it reads of the old warehouse: `internal.seats` by the name `temp.known_seats`."""
        return {name: "internal." + name.removeprefix(KNOWN) for name in self.reads if name.startswith(KNOWN)}

    @property
    def stands_on(self) -> set[str]:
        """What must be made before it."""
        return {*self.reads, *self.known.values(), *filter(None, [self.amended_for])}

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
    graph = {name: sorted(one.stands_on & found.keys()) for name, one in found.items()}
    return tuple(found[name] for name in TopologicalSorter(graph).static_order())


def create(connection: duckdb.DuckDBPyConnection, relation: Relation) -> None:
    """Make a table or view in the connection's current database, of all its rows, with its comments; macros are made
    apart (`assets/warehouse/attached.py`)."""
    match relation.kind:
        case Kind.PASSING:
            pass_on(connection, relation, relation.of_all)
            return
        case Kind.VIEW:
            connection.execute(relation.sql)
        case Kind.TABLE:
            connection.execute(f"create or replace table {relation.name} as {relation.of_all}")
    connection.execute(f"comment on {relation.kind.value} {relation.name} is '{quoted(relation.comment)}'")
    explain_columns(connection, relation, relation.name)


def pass_on(connection: duckdb.DuckDBPyConnection, relation: Relation, sql: str) -> None:
    """Make a passing relation: a view, unless its query says what it is."""
    is_whole = re.search(r"^(create|set variable) ", sql, re.MULTILINE)
    connection.execute(sql if is_whole else f"create or replace temp view {relation.path.stem} as {sql}")


def explain_columns(connection: duckdb.DuckDBPyConnection, relation: Relation, place: str) -> None:
    """Give the columns of a table or view, which may stand in for the relation at another place, their comments."""
    columns = [column for column, *_ in connection.execute(f"describe {place}").fetchall()]
    connection.execute(
        ";".join(f"comment on column {place}.{one} is '{quoted(relation.column_comment(one))}'" for one in columns)
    )
