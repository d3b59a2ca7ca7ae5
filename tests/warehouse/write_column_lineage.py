"""`python -m tests.warehouse.write_column_lineage`: tell anew which columns each column of the warehouse is made from.

The queries are taken apart by sqlglot, here and not at run time: what it finds is kept beside `column_lineage.py`.
A column that it cannot follow is left out; the tests count them.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope, find_all_in_scope

from assets.files.atomic import whole_file
from assets.snapshots.schema import LICENSE_ASSIGNMENTS, ORGANIZATION_ID, SNAPSHOT_DATE
from assets.warehouse.column_lineage import KEPT, SNAPSHOTS
from assets.warehouse.relations import Kind, Relation, relations
from pipelines.subjects import SUBJECTS
from tests.docs.dictionary import empty_warehouse

DIALECT = "duckdb"
OF_SNAPSHOTS = {SNAPSHOT_DATE.name, ORGANIZATION_ID.name, *LICENSE_ASSIGNMENTS.names}
TOLD_OF_SNAPSHOTS = (SNAPSHOTS, "inputs.facts")
"""What is read of the snapshots: their rows, and the facts in their metadata, some of which stand in each row, too."""

Schema = Mapping[str, Mapping[str, Mapping[str, str]]]
"""The type of each column, by schema and relation, in the relation's own order."""


class Column(NamedTuple):
    relation: str
    name: str


class NotFollowed(Exception):
    """A column whose origin cannot be told."""


def column_lineage(schema: Schema) -> dict[str, dict[str, list[str]]]:
    """Of each shown relation's columns: the columns that they are made from, of shown relations and of the snapshots.

    A column that cannot be followed is left out; one that is made of no such column has an empty list.
    """
    direct = {one.name: dict(_direct(one, schema)) for one in relations(SUBJECTS) if one.kind != Kind.MACRO}
    shown = {one.name for one in relations(SUBJECTS) if one.name in direct and not one.is_internal}
    return {name: dict(_through(direct, name, shown)) for name in sorted(shown)}


def described() -> Schema:
    """What DuckDB itself says of the columns of a warehouse and of the inputs that it was made from."""
    with TemporaryDirectory() as scratch, empty_warehouse(Path(scratch)) as warehouse:
        found = warehouse.execute(
            """select if(database_name = 'warehouse', schema_name, database_name), table_name, column_name,
                data_type
            from duckdb_columns() where database_name in ('inputs', 'temp', 'warehouse')
            order by database_name, schema_name, table_name, column_index"""
        ).fetchall()
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for place, relation, column, kind in found:
        schema.setdefault(place, {}).setdefault(relation, {})[column] = kind
    return schema


def _direct(relation: Relation, schema: Schema) -> Iterator[tuple[str, set[Column]]]:
    """Each column with those that the relation's own query makes it from."""
    query = sqlglot.parse_one(relation.sql, dialect=DIALECT)
    if isinstance(query, exp.Set):  # a variable
        return
    query = query.expression if isinstance(query, exp.Create) else query
    try:
        scope = build_scope(qualify(query.transform(_flat), schema=dict(schema), dialect=DIALECT, db="main"))
    except SqlglotError:
        return
    assert scope is not None
    place, _, name = relation.name.rpartition(".")
    for column in schema[place or "main"][name]:
        try:
            yield column, set(_followed(column, scope))
        except NotFollowed:
            continue


def _through(
    direct: Mapping[str, Mapping[str, set[Column]]], relation: str, shown: set[str]
) -> Iterator[tuple[str, list[str]]]:
    for column, sources in direct[relation].items():
        try:
            found = {one for source in sources for one in _shown(direct, source, shown)}
        except NotFollowed:
            continue
        yield column, sorted(f"{one.relation}.{one.name}" for one in found)


def _shown(direct: Mapping[str, Mapping[str, set[Column]]], source: Column, shown: set[str]) -> set[Column]:
    """The column itself where it is shown, else those that it is made from; none for what is no asset's."""
    if source.relation in shown:
        return {source}
    if source.relation in TOLD_OF_SNAPSHOTS:
        return {Column(SNAPSHOTS, source.name)} & {Column(SNAPSHOTS, name) for name in OF_SNAPSHOTS}
    if source.relation.startswith("inputs."):
        return set()
    if source.name not in direct[source.relation]:
        raise NotFollowed
    return {one for inner in direct[source.relation][source.name] for one in _shown(direct, inner, shown)}


def _followed(column: str | int, scope: Scope) -> Iterator[Column]:
    """The tables' columns that a query's column, by its name or its place, is computed from."""
    query = scope.expression
    if isinstance(query, exp.SetOperation):
        yield from _of_either(column, scope)
        return
    if isinstance(query, exp.Lateral | exp.Subquery):
        for inner in scope.subquery_scopes:
            yield from _followed(column, inner)
        return
    if not isinstance(query, exp.Select):
        raise NotFollowed
    told = query.selects[column] if isinstance(column, int) else _named(column, query)
    if told.is_star:
        raise NotFollowed
    inside = {id(inner.expression): inner for inner in scope.subquery_scopes}
    for asked in find_all_in_scope(told, exp.Query):
        if id(asked.unnest()) not in inside:
            raise NotFollowed
        yield from _followed(0, inside[id(asked.unnest())])
    for read in find_all_in_scope(told, exp.Column):
        if _only_places(read, told):
            continue
        source = _source(read.table, scope)
        if isinstance(source, Scope):
            yield from _followed(read.name, source)
        elif isinstance(source, exp.Table):
            yield Column(source.name if source.db == "main" else f"{source.db}.{source.name}", read.name)
        else:
            raise NotFollowed


def _source(name: str, scope: Scope | None) -> exp.Expr | Scope | None:
    """What a name stands for: in the query itself, or in one around it (lateral)."""
    while scope is not None and name not in scope.sources:
        scope = scope.parent
    return scope.sources[name] if scope else None


def _only_places(read: exp.Column, told: exp.Expr) -> bool:
    """Whether a column only says over which rows a window goes, and in which order: that is no part of the value."""
    at: exp.Expr = read
    while at is not told and at.parent is not None:
        if isinstance(at.parent, exp.Window) and at.arg_key != "this":
            return True
        at = at.parent
    return False


def _of_either(column: str | int, scope: Scope) -> Iterator[Column]:
    """The column of a union, from both sides: by name where it says so, else by place."""
    union = scope.expression
    assert isinstance(union, exp.SetOperation)
    if union.args.get("by_name"):
        if isinstance(column, int):
            raise NotFollowed
        for side in scope.set_operation_scopes:
            if column in cast(exp.Query, side.expression).named_selects:
                yield from _followed(column, side)
        return
    place = union.named_selects.index(column) if isinstance(column, str) else column
    for side in scope.set_operation_scopes:
        yield from _followed(place, side)


def _named(column: str, query: exp.Select) -> exp.Expr:
    found = [told for told in query.selects if told.alias_or_name == column]
    if len(found) != 1:
        raise NotFollowed
    return found[0]


def _flat(node: exp.Expr) -> exp.Expr:
    """`unnest(…, recursive := true)` makes a column of each field, which sqlglot does not know: here they stand apart.

    A field of several structs is made from all of them; of a column of structs, from that column.
    """
    if not isinstance(node, exp.Select):
        return node
    node.set("expressions", [flat for told in node.expressions for flat in _fields(told, node)])
    return node


def _fields(told: exp.Expr, query: exp.Select) -> list[exp.Expr]:
    if not isinstance(told, exp.Explode) or not any(one.name == "recursive" for one in told.expressions):
        return [told]
    if isinstance(told.this, exp.Array):
        structs = [dict(_values(struct)) for struct in told.this.expressions]
        return [exp.alias_(exp.Coalesce(expressions=[one[name] for one in structs]), name) for name in structs[0]]
    listed = (one.unalias().find(exp.Struct) for one in query.root().find_all(exp.Alias) if one.alias == told.this.name)
    return [exp.alias_(told.this.copy(), name) for struct in listed if struct for name, _ in _values(struct)]


def _values(struct: exp.Struct) -> Iterator[tuple[str, exp.Expr]]:
    return ((one.name, one.expression) for one in struct.expressions)


def kept(lineage: Mapping[str, Mapping[str, list[str]]]) -> dict[Path, str]:
    """What stands in each subject's folder."""
    subjects = {one.name: one.subject.folder for one in relations(SUBJECTS)}
    return {
        one.folder: as_toml({name: told for name, told in lineage.items() if subjects[name] == one.folder})
        for one in SUBJECTS
    }


def as_toml(lineage: Mapping[str, Mapping[str, list[str]]]) -> str:
    """One section per relation, one line per column."""
    head = "# Written by `make docs`: the columns that each is made from, of other relations and of the snapshots.\n"
    return head + "".join(
        f"\n[{relation}]\n" + "".join(f"{name} = {json.dumps(sources)}\n" for name, sources in columns.items())
        for relation, columns in lineage.items()
    )


if __name__ == "__main__":
    for folder, text in kept(column_lineage(described())).items():
        with whole_file(folder / KEPT) as place:
            place.write_text(text, encoding="utf-8")
