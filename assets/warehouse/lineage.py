"""How the file appears in Dagster, and each table and view in it: an asset `warehouse/<name>`, after what it reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from assets.engine import sql_file
from assets.orchestration.names import Names
from assets.orchestration.steps import ASSIGNMENTS, WAREHOUSE
from assets.warehouse.column_lineage import SNAPSHOTS, column_lineage
from assets.warehouse.relations import Kind, Relation, relations
from assets.warehouse.sources import code_reference
from assets.warehouse.subject import Subjects


@dataclass(frozen=True)
class Lineage:
    """The warehouse's assets under given names."""

    names: Names
    subjects: Subjects

    @property
    def warehouse(self) -> dg.AssetKey:
        """The published file."""
        return self.names.key(WAREHOUSE)

    @property
    def snapshots(self) -> dg.AssetKey:
        """What all relations are made from."""
        return self.names.key(ASSIGNMENTS)

    @property
    def file(self) -> dg.AssetSpec:
        """The published file, made from the snapshots."""
        return dg.AssetSpec(
            self.warehouse,
            deps=[self.snapshots],
            description="warehouse.duckdb: everything that analysts need, replaced as a whole file, never locked.",
            kinds={"duckdb", "sql"},
            **self.names.attributes,
        )

    @property
    def relations(self) -> list[dg.AssetSpec]:
        """The tables and views in it that analysts ask; what stands in between (`internal`) is passed through.

        No step makes one of them, so that a run plans none: it tells of each when the file is in place, in one event.
        """
        return [
            dg.AssetSpec(
                self._key(relation),
                deps=[
                    *(self._key(source) for source in _sources(relation, self.subjects)),
                    *([self.warehouse] if _reads_snapshots(relation, self.subjects) else []),
                ],
                description=f"{relation.comment}\n\n```sql\n{relation.sql}\n```",
                kinds={"duckdb", relation.kind.value},
                metadata={"dagster/code_references": code_reference(relation)},
                **self.names.attributes,
            )
            for relation in _shown(self.subjects)
        ]

    def told(self, warehouse: Path) -> Iterator[dg.AssetMaterialization]:
        """Each relation with its rows and columns, as they stand in the file; a view's rows are not counted."""
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            found = connection.execute(sql_file(__file__, "columns")).fetchall()
        columns: dict[str, list[dg.TableColumn]] = {}
        for relation, name, kind, comment, _ in found:
            columns.setdefault(relation, []).append(dg.TableColumn(name, kind, description=comment))
        rows = {relation: {"dagster/row_count": count} for relation, *_, count in found if count is not None}
        for one in _shown(self.subjects):
            metadata: dict[str, Any] = {
                "dagster/column_schema": dg.TableSchema(columns=columns[one.name]),
                **self._column_lineage(one),
                **rows.get(one.name, {}),
            }
            yield dg.AssetMaterialization(self._key(one), metadata=metadata)

    def _column_lineage(self, relation: Relation) -> dict[str, dg.TableColumnLineage]:
        found = column_lineage(relation, self._place)
        return {"dagster/column_lineage": found} if found else {}

    def _key(self, relation: Relation) -> dg.AssetKey:
        return self._place(relation.name)

    def _place(self, name: str) -> dg.AssetKey:
        return self.snapshots if name == SNAPSHOTS else self.names.key(WAREHOUSE, name)


def _shown(subjects: Subjects) -> list[Relation]:
    return [relation for relation in relations(subjects) if not relation.is_internal and relation.kind != Kind.MACRO]


def _sources(relation: Relation, subjects: Subjects) -> list[Relation]:
    """The shown relations that it reads, through the internal ones."""
    found: dict[str, Relation] = {}
    for source in relations(subjects):
        if source.name in relation.reads:
            through = _sources(source, subjects) if source.is_internal else [source]
            found.update({shown.name: shown for shown in through})
    return list(found.values())


def _reads_snapshots(relation: Relation, subjects: Subjects) -> bool:
    """Whether it reads the snapshots themselves, be it through the internal relations; or nothing that is shown."""
    internal = [source for source in relations(subjects) if source.name in relation.reads and source.is_internal]
    return (
        any(name.startswith("inputs.") for name in relation.reads)
        or any(_reads_snapshots(source, subjects) for source in internal)
        or not _sources(relation, subjects)
    )
