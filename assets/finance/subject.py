"""Finance as a subject of the warehouse: its reference files, and the months that it has closed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import asdict

from assets import layout
from assets.columns import columns_of
from assets.errors import DamagedFile
from assets.finance.closings import (
    ADJUSTMENTS,
    LINES,
    Entry,
    Log,
    figures_in_force,
    log_files,
    read_log,
    require_as_signed,
)
from assets.finance.frozen import FIGURES
from assets.finance.reference import finance_reference, hashes_table, reference_hashes
from assets.history.subject import HISTORY
from assets.layout import DataDirectory
from assets.snapshots.license_types import LICENSE_TYPES, license_types
from assets.warehouse.relations import shared_columns
from assets.warehouse.subject import Subject


@dataclass(frozen=True)
class _Material:
    trees: tuple[DataDirectory, ...]
    paths: tuple[Path, ...] = ()
    damaged: tuple[DamagedFile, ...] = ()
    """What finance has signed is never left out: where it cannot be read, nothing is published."""

    def load(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Add the tables that finance's relations read.

        Raises:
            BadReference: a reference file cannot be used.
            PublishFailed: what was signed has changed on disk.
        """
        published = self.trees[0]
        types = license_types(published.reference(LICENSE_TYPES)).column("license_type").to_pylist()
        for name, table in finance_reference(published, types).tables().items():
            connection.from_arrow(table).create(name)
        connection.table("billing").select("organization_id, invites_take_seats").insert_into("invite_conventions")
        connection.from_arrow(hashes_table(published)).create("reference_files")
        log = read_log(*self.trees)
        connection.from_arrow(_closings(log)).create("finance_closings")
        for name, kind in (("finance_closed", LINES), ("closed_adjustments", ADJUSTMENTS)):
            columns = FIGURES[kind]
            files = [pq.read_table(path, schema=columns) for path in figures_in_force(log, kind, *self.trees)]
            connection.from_arrow(pa.concat_tables([columns.empty_table(), *files])).create(name)

    def adds_only(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """What is taken over of finance's own depends on days and holders alone (`sql/temp/changed_seats.sql`)."""
        return True


class Finance(Subject):
    folder = Path(__file__).parent
    datasets = (layout.FINANCE,)

    @property
    def columns(self) -> Mapping[str, str]:
        return shared_columns(HISTORY)

    def require_sound(self, data: DataDirectory) -> None:
        require_as_signed(data)

    def gather(
        self,
        connection: duckdb.DuckDBPyConnection,
        published: DataDirectory,
        staged: DataDirectory,
        without: Iterable[DamagedFile] = (),
    ) -> _Material:
        return _Material((published, staged))

    def gather_all(self, published: DataDirectory) -> _Material:
        return _Material((published,))

    def is_shown(self, warehouse: duckdb.DuckDBPyConnection, data: DataDirectory) -> bool:
        known = dict(warehouse.table("internal.reference_files").fetchall())
        return known == reference_hashes(data) and len(warehouse.table("finance_closings")) == len(log_files(data))


FINANCE = Finance()


def _closings(log: Log) -> pa.Table:
    in_force = {entry.number for entry in log.in_force().values()}
    rows = [asdict(entry) | {"is_in_force": entry.number in in_force} for entry in log.entries]
    columns = columns_of(Entry, without=("inputs", "figures", "previous_sha256"))
    return pa.Table.from_pylist(rows, columns.append(pa.field("is_in_force", pa.bool_())))
