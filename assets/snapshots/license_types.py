"""The table of license types: what a role is called, whether it takes a seat, and since when that holds."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from assets.errors import BadReference
from assets.reference import Dated, read_rows, refuse_overlaps, table, table_columns

LICENSE_TYPES = "license_types.csv"
API_KEY_LICENSE = "API Key"


@dataclass(frozen=True)
class _Meaning(Dated):
    """What one role means in one span."""

    role: str
    license_type: str
    takes_seat: bool
    valid_from: date | None = None
    valid_to: date | None = None


TABLE = table_columns(_Meaning)


def license_types(path: Path, day: date | None = None) -> pa.Table:
    """One row per role and span in which a meaning holds, as in `TABLE`; with `day`, one per role: what holds then.

    `valid_from` (inclusive) and `valid_to` (exclusive) are null where a meaning has always held, or holds without end.

    Raises:
        BadReference: a missing file or column, an empty cell, a role twice on one day, a word that is neither true nor
            false.
    """
    meanings = read_rows(path, _Meaning)
    if not meanings:
        raise BadReference(f"{path.name}, line 1: it names no role; the columns must be role,license_type,takes_seat.")
    refuse_overlaps(meanings, lambda one: f"the meaning of the role {one.role}")
    return table(_Meaning, (one for one in meanings if day is None or one.start <= day < one.end))
