"""What the warehouse is told of the past that changed: replaced versions of days, the rows that they had, conflicts,
and the tables of license types that earlier warehouses were built with.

These files are few and never replaced, so all of them are read at every build.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from assets.columns import DAY, INSTANT, columns_of
from assets.engine import parquet_view
from assets.errors import DamagedFile
from assets.files.damaged import readable
from assets.history.mappings import kept_mappings, loaded_at
from assets.layout import CONFLICTS, RESTATEMENTS, SUPERSEDED, DataDirectory, DayFile, day_files, snapshot_file
from assets.snapshots import schema
from assets.snapshots.license_types import TABLE as LICENSE_TYPES
from assets.snapshots.restatement import RESTATED_ROWS, Restatement, read_restatement
from assets.snapshots.snapshot import SnapshotFacts, read_facts, workspaces_known

REPLACED = ("organization_name", "users", "api_keys", "invites", "workspaces_known", "default_workspace")
"""What is told of the version that was replaced."""
RESTATEMENT_FACTS = pa.schema(
    [
        *columns_of(Restatement, without=("replaced",)),
        *(field for field in columns_of(SnapshotFacts) if field.name in REPLACED),
    ]
)


@dataclass(frozen=True)
class PastFiles:
    """The files that tell of it and can be read, the last known of a replaced version among them by its replacement."""

    restatements: Mapping[Path, dict[str, object]]
    """Each restatement's row, as in `RESTATEMENT_FACTS`."""
    conflicts: list[Path]
    mappings: list[Path]
    damaged: list[DamagedFile]

    @property
    def paths(self) -> list[Path]:
        return [*self.restatements, *self.conflicts, *self.mappings]


def past_files(
    published: DataDirectory, staged: DataDirectory | None = None, without: Iterable[DamagedFile] = ()
) -> PastFiles:
    """List the files; those are damaged whose footers cannot be read, and those that are given."""
    trees = (published, staged) if staged else (published,)
    replacements = day_files(RESTATEMENTS, *trees)
    others = [file.path for file in day_files(CONFLICTS, *trees)]
    mappings = kept_mappings(*trees)
    damaged = {one.path: one for one in (*readable([*others, *mappings])[1], *without)}
    restatements: dict[Path, dict[str, object]] = {}
    for file in (file for file in replacements if file.path not in damaged):
        try:
            restatements[file.path] = _row(file, _replaced(file, published, staged))
        except DamagedFile as one:
            damaged[file.path] = one
    return PastFiles(
        restatements,
        [path for path in others if path not in damaged],
        [path for path in mappings if path not in damaged],
        [damaged[path] for path in (*(file.path for file in replacements), *others, *mappings) if path in damaged],
    )


def load_past(connection: duckdb.DuckDBPyConnection, past: PastFiles) -> None:
    """Add `restatements`, `restated_rows`, `reconstruction_conflicts` and `mappings` to the current database."""
    restatements = pa.Table.from_pylist(list(past.restatements.values()), RESTATEMENT_FACTS)
    connection.from_arrow(restatements).create("restatements")
    for name, paths, columns, day in (
        ("restated_rows", past.restatements, RESTATED_ROWS, "snapshot_date"),
        ("reconstruction_conflicts", past.conflicts, schema.CONFLICTS, "base_date"),
    ):
        everything = pa.schema([pa.field(day, DAY), schema.ORGANIZATION_ID, *columns])
        parquet_view(connection, name, paths, everything, day=day)
    connection.from_arrow(_mappings(past.mappings)).create("mappings")


def _replaced(file: DayFile, published: DataDirectory, staged: DataDirectory | None) -> Path:
    """The version of a day that a restatement is about: it still stands while the restatement is only staged."""
    if staged and file.path.is_relative_to(staged.root):
        return snapshot_file(published, file.day, file.organization_id)
    folders = file.path.parent
    return published.root / SUPERSEDED / folders.parent.name / folders.name / file.path.name


def _row(file: DayFile, before: Path) -> dict[str, object]:
    """One replacement, and what the version that it replaced knew."""
    told = read_restatement(file.path)
    row = msgspec.structs.asdict(told)
    row |= {"provenance_before": told.provenance_before.value, "provenance_after": told.provenance_after.value}
    replaced = row.pop("replaced") or read_facts(before)
    return row | (_known(replaced, before) if replaced else {})


def _known(facts: SnapshotFacts, path: Path) -> dict[str, object]:
    workspaces = workspaces_known(path, facts) if path.exists() else facts.workspaces_known
    return {name: getattr(facts, name) for name in REPLACED} | {"workspaces_known": workspaces}


def _mappings(paths: Iterable[Path]) -> pa.Table:
    """Every table of license types that a warehouse was built with, and since when."""
    columns = pa.schema([("known_from", INSTANT), *LICENSE_TYPES])
    found = [columns.empty_table()]
    for path in paths:
        rows = pq.ParquetFile(path).read().cast(LICENSE_TYPES)
        since = pa.array([loaded_at(path)] * rows.num_rows, INSTANT)
        found.append(rows.add_column(0, columns.field(0), since))
    return pa.concat_tables(found)
