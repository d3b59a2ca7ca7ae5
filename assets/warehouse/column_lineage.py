"""Which columns of which assets each column of the warehouse is made from, as Dagster is told.

It is taken from the queries beforehand (`make docs`), so that loading it needs no parser of SQL. Told are the columns
that a value is computed from, through what is internal; not those that only choose or match rows.
"""

import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import dagster as dg

from assets.warehouse.relations import Relation

KEPT = "column_lineage.toml"
"""What it is called in each subject's folder."""
SNAPSHOTS = "inputs.snapshots"
"""How the queries call the snapshots: the asset `license_assignments`, not the relation of that name."""


def column_lineage(relation: Relation, key_of: Callable[[str], dg.AssetKey]) -> dg.TableColumnLineage | None:
    """What Dagster shows at `dagster/column_lineage`; none where no column is made from one of an asset.

    `key_of` gives the asset of a relation, and for `SNAPSHOTS` that of the snapshots. A column that is made of none, or
    that nobody could follow, is left out.
    """
    deps = {
        column: [dg.TableColumnDep(key_of(place), name) for place, _, name in (one.rpartition(".") for one in sources)]
        for column, sources in _told(relation.subject.folder).get(relation.name, {}).items()
        if sources
    }
    return dg.TableColumnLineage(deps) if deps else None


@cache
def _told(folder: Path) -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((folder / KEPT).read_text(encoding="utf-8"))
