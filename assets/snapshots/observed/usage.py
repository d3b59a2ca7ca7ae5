"""What one observation said of usage, and with it the last uses up to its day, as files beside the snapshot."""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec
import pyarrow as pa
from msgspec import Struct

from assets.errors import DamagedFile
from assets.extraction.carried import Covered, digest
from assets.extraction.coverage import usage_carried
from assets.extraction.landing import Observation
from assets.layout import COVERAGE, LAST_USE, USAGE, DataDirectory, usage_file
from assets.snapshots import schema
from assets.snapshots.observed.covered import coverage
from assets.snapshots.observed.uses import write_uses
from assets.snapshots.snapshot import unless_standing, write_table
from assets.snapshots.usage import Bearers, carry_forward


class Night(NamedTuple):
    """One observation, and where the files of all nights lie; what is in `without` is not read."""

    observation: Observation
    data: DataDirectory
    staged: DataDirectory
    without: Collection[Path] = ()

    @property
    def trees(self) -> tuple[DataDirectory, DataDirectory]:
        return self.data, self.staged

    def place(self, tree: DataDirectory, dataset: str) -> Path:
        manifest = self.observation.manifest
        return usage_file(tree.root / dataset, manifest.day, manifest.organization_id)

    def stage(
        self, dataset: str, rows: duckdb.DuckDBPyRelation, columns: pa.Schema, facts: Struct | None = None
    ) -> None:
        write_table(self.place(self.staged, dataset), rows, columns, facts)
        self.settle(dataset)

    def settle(self, dataset: str) -> Path:
        """Where a dataset's file of the night lies: what is published already is not staged."""
        return unless_standing(self.place(self.staged, dataset), self.place(self.data, dataset))


def stage_usage(connection: duckdb.DuckDBPyConnection, night: Night) -> tuple[dict[str, int], tuple[DamagedFile, ...]]:
    """Stage it; then `usage` holds the last uses, and `coverage` and `watched` all that was heard of by then.

    Returns what was counted of tonight's uses, and what of earlier nights' coverage cannot be read.
    """
    day, organization_id = night.observation.manifest.day, night.observation.manifest.organization_id
    bearers = Bearers(night.trees, organization_id, day, night.without)
    counted = write_uses(connection, night.place(night.staged, USAGE), bearers)
    told = night.settle(USAGE)
    heard = coverage(connection, night.observation)
    night.stage(COVERAGE, connection.from_arrow(heard), schema.COVERAGE)
    files = usage_carried(night.trees, organization_id, day, night.without)
    covered = msgspec.convert(heard.to_pylist(), list[Covered])
    known = carry_forward(connection, files, told, covered, organization_id)
    known = msgspec.structs.replace(known, digest=digest(night.trees, organization_id, day))
    rows = connection.table("usage").order("holder_type, holder_id, source, usage_date, used_at")
    night.stage(LAST_USE, rows, schema.LAST_USE, known)
    return counted, files.damaged
