"""Macros that answer where the file is attached to another database, too: `attach 'warehouse.duckdb' as lic`.

DuckDB binds the names in a macro's body where its caller stands, and not, as a view's, in the database that holds it.
So a macro would find nothing there, or, wrong without a word, a table of the caller's that has the name. Here each name
in a macro's body begins with `lic.`: in the file itself that is a schema of views, and where the file is attached as
`lic`, DuckDB takes it for the database. Elsewhere nothing is called so, and DuckDB says that no schema `lic` is there.
"""

import re
from collections.abc import Iterable

import duckdb

from assets.engine import quoted
from assets.warehouse.relations import Kind, Relation, explain_columns

NAME = "lic"
"""What the file must be attached as, for its macros to answer."""


def create_macros(connection: duckdb.DuckDBPyConnection, relations: Iterable[Relation]) -> None:
    """Make the macros in the connection's current database, which holds the tables and views that they read.

    What they read of the schema `internal` gets a view in `main`, where DuckDB looks in an attached database.
    """
    known = {one.name: one for one in relations}
    macros = [one for one in known.values() if one.kind == Kind.MACRO]
    connection.execute(f"create schema {NAME}")
    for name in sorted({name for macro in macros for name in macro.reads} & known.keys()):
        if known[name].kind != Kind.MACRO:
            _create_views(connection, known[name])
    for macro in macros:
        for schema in (NAME, "main"):
            connection.execute(_qualified(macro, schema, known))
            connection.execute(f"comment on macro table {schema}.{macro.name} is '{quoted(macro.comment)}'")


def _create_views(connection: duckdb.DuckDBPyConnection, relation: Relation) -> None:
    source = relation.name if relation.is_internal else f"main.{relation.name}"
    for schema in (NAME, "main") if relation.is_internal else (NAME,):
        view = f"{schema}.{relation.path.stem}"
        connection.execute(f"create view {view} as from {source}")
        connection.execute(f"comment on view {view} is 'As {source}; for macros, not for analysts.'")
        explain_columns(connection, relation, view)


def _qualified(macro: Relation, schema: str, known: Iterable[str]) -> str:
    """The macro's text, made in a schema, every relation that it reads under the name that is found everywhere."""
    sql = macro.sql.replace(f"create macro {macro.name}(", f"create macro {schema}.{macro.name}(")
    for name in macro.reads & set(known):
        sql = re.sub(rf"\b(from|join)\s+{re.escape(name)}\b", rf"\1 {NAME}.{name.removeprefix('internal.')}", sql)
    return sql
