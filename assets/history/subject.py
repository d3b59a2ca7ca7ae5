"""The history as a subject of the warehouse: what all days together tell of who held what, and of its use."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from assets.engine import make
from assets.errors import DamagedFile, PublishFailed
from assets.history.inputs import Inputs, Mark, adds_only, choose, gather, load
from assets.history.mappings import keep_mapping
from assets.history.past import PastFiles, load_past, past_files
from assets.layout import CONFLICTS, COVERAGE, MAPPINGS, RESTATEMENTS, SNAPSHOTS, USAGE, DataDirectory, day_files
from assets.snapshots import schema
from assets.snapshots.license_types import LICENSE_TYPES, license_types
from assets.snapshots.restatement import restate
from assets.warehouse.seal import is_ours
from assets.warehouse.subject import Subject

ROWS_TO_COMPARE = 500_000
"""Row by row, as many days are compared as have so many rows, the newest of each organization among them; beyond
that, all days are compared by their counts alone."""


@dataclass(frozen=True)
class _Material:
    inputs: Inputs
    past: PastFiles
    reference: Path

    @property
    def paths(self) -> list[Path]:
        return [*(file.path for file in self.inputs.to_read), *self.past.paths]

    @property
    def damaged(self) -> list[DamagedFile]:
        return [*self.inputs.damaged, *self.past.damaged]

    def load(self, connection: duckdb.DuckDBPyConnection) -> None:
        if not self.inputs.snapshots:
            raise PublishFailed("There is no snapshot yet, so there is no warehouse to build: take one first.")
        load(connection, self.inputs, license_types(self.reference))
        load_past(connection, self.past)

    def adds_only(self, connection: duckdb.DuckDBPyConnection) -> bool:
        return adds_only(connection, self.inputs)


class History(Subject):
    folder = Path(__file__).parent
    datasets = (USAGE, COVERAGE, CONFLICTS, SNAPSHOTS, MAPPINGS)

    @property
    def columns(self) -> Mapping[str, str]:
        return schema.comments(schema.USAGE) | schema.comments(schema.LICENSE_ASSIGNMENTS)

    def stage(self, data: DataDirectory, staged: DataDirectory, at: datetime) -> None:
        restate(data, staged)
        keep_mapping(license_types(data.reference(LICENSE_TYPES)), at, data, staged)

    def gather(
        self,
        connection: duckdb.DuckDBPyConnection,
        published: DataDirectory,
        staged: DataDirectory,
        without: Iterable[DamagedFile] = (),
    ) -> _Material:
        without = list(without)
        inputs = gather(connection, published, staged, without)
        return _Material(inputs, past_files(published, staged, without), published.reference(LICENSE_TYPES))

    def gather_all(self, published: DataDirectory) -> _Material:
        return _Material(choose(set(), published), past_files(published), published.reference(LICENSE_TYPES))

    def has_anything(self, data: DataDirectory) -> bool:
        return bool(day_files(SNAPSHOTS, data))

    def is_shown(self, warehouse: duckdb.DuckDBPyConnection, data: DataDirectory) -> bool:
        return (
            is_ours(warehouse, data.warehouse)
            and _is_made_from(set(warehouse.table("internal.input_files").fetchall()), data)
            and _past(warehouse) == _past_on_disk(data)
        )

    def before_checks(self, connection: duckdb.DuckDBPyConnection) -> None:
        """`inputs.days_to_check`, and its days as the variable of the same name, by which files are skipped."""
        connection.execute("set variable rows_to_compare = $rows", {"rows": ROWS_TO_COMPARE})
        make(connection, __file__, "inputs.days_to_check", "inputs/days_to_check")
        found = connection.table("inputs.days_to_check").select("snapshot_date").distinct().fetchall()
        connection.execute("set variable days_to_check = $days", {"days": list(chain.from_iterable(found))})


HISTORY = History()


def _is_made_from(marks: set[Mark], data: DataDirectory) -> bool:
    return {file.mark for file in choose(marks, data).files} == marks


Past = tuple[Counter[tuple[date, str]], int, int]
"""How often each day was restated; how many conflicts and mappings there are."""


def _past(warehouse: duckdb.DuckDBPyConnection) -> Past:
    restated = warehouse.table("restatements").select("snapshot_date", "organization_id").fetchall()
    conflicts = warehouse.table("reconstruction_conflicts").count("*").fetchall()[0][0]
    mappings = warehouse.table("internal.license_type_versions").select("known_from").distinct().fetchall()
    return Counter(restated), conflicts, len(mappings)


def _past_on_disk(data: DataDirectory) -> Past:
    """Of what can be read: without the others a warehouse is as good as it gets."""
    past = past_files(data)
    readable = past.restatements.keys()
    return (
        Counter((file.day, file.organization_id) for file in day_files(RESTATEMENTS, data) if file.path in readable),
        sum(pq.read_metadata(path).num_rows for path in past.conflicts),
        len(past.mappings),
    )
