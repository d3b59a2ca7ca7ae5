"""Which table of license types the warehouse was built with, and since when: kept whenever the file has changed.

Today's file decides for every day; what the warehouse answered before it was edited can be asked all the same
(`licenses_on(day, known_at := …)`).
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assets.files.atomic import whole_file
from assets.layout import MAPPINGS, DataDirectory

_STAMP = "%Y%m%dT%H%M%S%fZ"
_NAME = re.compile(r"\d{8}T\d{12}Z\.parquet")


def keep_mapping(table: pa.Table, at: datetime, published: DataDirectory, staged: DataDirectory) -> None:
    """Stage the table of license types as the one that holds from `at` on, unless the latest kept one is the same."""
    kept = kept_mappings(published)
    if kept and _says(kept[-1], table):
        return
    name = at.astimezone(UTC).strftime(_STAMP)
    with whole_file(staged.root / MAPPINGS / f"{name}.parquet") as place:
        pq.write_table(table, place, compression="zstd")


def kept_mappings(*trees: DataDirectory) -> list[Path]:
    """All tables that were kept, oldest first; where two trees have the same, the later tree's."""
    found = {
        path.name: path
        for tree in trees
        for path in (tree.root / MAPPINGS).glob("*.parquet")
        if _NAME.fullmatch(path.name)
    }
    return [found[name] for name in sorted(found)]


def _says(path: Path, table: pa.Table) -> bool:
    try:
        return bool(pq.read_table(path, partitioning=None).equals(table))
    except (pa.ArrowException, OSError):
        return False  # damaged: kept again


def loaded_at(path: Path) -> datetime:
    """Since when a kept table has been in force."""
    return datetime.strptime(path.stem, _STAMP).replace(tzinfo=UTC)
