"""Which table of license types the warehouse was built with, and since when: kept whenever the file has changed.

Today's file decides for every day; what the warehouse answered before it was edited can be asked all the same
(`licenses_on(day, known_at := …)`).
"""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assets.layout import DataDirectory, whole_file

MAPPINGS = "mappings/license_types"
_STAMP = "%Y%m%dT%H%M%S%fZ"


def keep_mapping(table: pa.Table, at: datetime, published: DataDirectory, staged: DataDirectory) -> None:
    """Stage the table of license types as the one that holds from `at` on, unless the latest kept one is the same."""
    kept = sorted((published.root / MAPPINGS).glob("*.parquet"))
    if kept and pq.read_table(kept[-1]).equals(table):
        return
    name = at.astimezone(UTC).strftime(_STAMP)
    with whole_file(staged.root / MAPPINGS / f"{name}.parquet") as place:
        pq.write_table(table, place, compression="zstd")


def loaded_at(path: Path) -> datetime:
    """Since when a kept table has been in force."""
    return datetime.strptime(path.stem, _STAMP).replace(tzinfo=UTC)
