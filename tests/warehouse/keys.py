"""What a relation's comment says of its rows: its key tells them apart, and what it refers to is there."""

from pathlib import Path

import duckdb

from assets.warehouse.relations import Kind, relations
from pipelines.subjects import SUBJECTS

SHOWN = [one for one in relations(SUBJECTS) if not one.is_internal and one.kind != Kind.MACRO]
BY_NAME = {one.name: one for one in SHOWN}


def broken(warehouse: Path) -> list[str]:
    """Each key that several rows have, and each reference that leads nowhere."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return [*_repeated(connection), *_leading_nowhere(connection)]


def _repeated(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [
        f"{one.name}: {', '.join(one.key)}"
        for one in SHOWN
        if one.key
        and connection.execute(f"select 1 from {one.name} group by {', '.join(one.key)} having count(*) > 1").fetchall()
    ]


def _leading_nowhere(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = []
    for one in SHOWN:
        for ours, other in one.refers.items():
            named = [name.strip() for name in ours.split(",")]
            known = " and ".join(f"{name} is not null" for name in named)
            theirs = ", ".join(BY_NAME[other].key)
            query = f"select {ours} from {one.name} where {known} except select {theirs} from {other}"
            found += [f"{one.name}: {ours}"] if connection.execute(query).fetchall() else []
    return found
