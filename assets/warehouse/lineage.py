"""How the relations appear in Dagster: each table and view an asset `warehouse/<name>`, after those that it reads."""

from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from assets.warehouse.relations import Kind, Relation, relations

WAREHOUSE = dg.AssetKey("warehouse")
SNAPSHOTS = dg.AssetKey("license_assignments")


def asset_names() -> list[str]:
    """What a job selects to make the warehouse, the published file last."""
    return [*(spec.key.to_user_string() for spec in relation_specs()), WAREHOUSE.to_user_string()]


@cache
def relation_specs() -> tuple[dg.AssetSpec, ...]:
    """The tables and views that analysts ask; what stands in between (`internal`) is passed through."""
    return tuple(
        dg.AssetSpec(
            _key(relation),
            deps=[_key(source) for source in _sources(relation)] or [SNAPSHOTS],
            description=f"{relation.comment}\n\n```sql\n{relation.sql}\n```",
            kinds={"duckdb", relation.kind.value},
            owners=["team:analytics"],
        )
        for relation in _shown()
    )


def observed(warehouse: Path) -> dict[dg.AssetKey, dict[str, Any]]:
    """Each relation's rows and columns, as they stand in the file; a view's rows are not counted."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            """select table_name, column_name, data_type, comment from duckdb_columns()
            where database_name = current_database() and schema_name = 'main' order by table_name, column_index"""
        ).fetchall()
        counts = connection.execute(
            "select table_name, estimated_size from duckdb_tables() where schema_name = 'main'"
        ).fetchall()
    columns: dict[str, list[dg.TableColumn]] = {}
    for relation, name, kind, comment in found:
        columns.setdefault(relation, []).append(dg.TableColumn(name, kind, description=comment))
    rows = {relation: {"dagster/row_count": count} for relation, count in counts}
    return {
        _key(relation): {
            "dagster/column_schema": dg.TableSchema(columns=columns[relation.name]),
            **rows.get(relation.name, {}),
        }
        for relation in _shown()
    }


def _shown() -> list[Relation]:
    return [relation for relation in relations() if not relation.is_internal and relation.kind != Kind.MACRO]


def _key(relation: Relation) -> dg.AssetKey:
    return dg.AssetKey(["warehouse", relation.name])


def _sources(relation: Relation) -> list[Relation]:
    """The shown relations that it reads, through the internal ones."""
    found: dict[str, Relation] = {}
    for source in relations():
        if source.name in relation.reads:
            through = _sources(source) if source.is_internal else [source]
            found.update({shown.name: shown for shown in through})
    return list(found.values())
