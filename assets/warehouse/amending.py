"""A new warehouse as a copy of the old one, in which only what has changed is made again.

What has ended long ago is never read or written again, so a night costs the same however many there were before it.
Of small tables all rows are taken out and made again. Of a large one, a passing relation (`amended_for`) tells whose
rows may be others than before: only these, by the very query that makes all of them from nothing.
"""

import duckdb

from assets.warehouse.relations import Kind, Relation, pass_on


def show_known(connection: duckdb.DuckDBPyConnection, relation: Relation, *, amends: bool) -> None:
    """Make the passing views by which a query sees what the old warehouse held, or nothing if nothing is taken over."""
    for view, source in relation.known.items():
        held = f"known.{source}" if amends else f"{source} where false"
        connection.execute(f"create or replace temp view {view.removeprefix('temp.')} as from {held}")


def amend(connection: duckdb.DuckDBPyConnection, relation: Relation) -> None:
    """Bring a relation up to date in the connection's current database, a copy of the old warehouse."""
    if relation.kind == Kind.PASSING:
        pass_on(connection, relation, relation.sql)
    elif relation.kind == Kind.TABLE:  # views stand there already: the same code has made them
        # The table stays, and with it the comments, which cost more than the rows of a small one.
        connection.execute(f"delete from {relation.name}{_whose(connection, relation)}")
        connection.execute(f"insert into {relation.name} by name {relation.sql}")


def _whose(connection: duckdb.DuckDBPyConnection, relation: Relation) -> str:
    """Which rows to take out: those that are chosen, or all."""
    if not relation.amended_for:
        return ""
    columns = [column for column, *_ in connection.execute(f"describe {relation.amended_for}").fetchall()]
    same = " and ".join(f"old.{one} is not distinct from changed.{one}" for one in columns)
    return f" as old using {relation.amended_for} as changed where {same}"
