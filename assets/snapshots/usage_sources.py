"""What each source of usage can see, as `usage_sources.csv` says it: the one place where silence is weighed.

A source that sees all use of a kind of holder makes its silence evidence; one that sees some of it does not.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import pyarrow as pa

from assets.reference import Row, read_rows, table
from assets.snapshots.schema import HolderType


class Sees(StrEnum):
    ALL = "all"
    SOME = "some"


@dataclass(frozen=True)
class UsageSource(Row):
    """One list of the API as a source of use by one kind of holder."""

    endpoint: str
    source: str
    holder_type: HolderType
    sees: Sees
    because: str


@cache
def sources() -> tuple[UsageSource, ...]:
    """Every source and kind of holder, in the table's order."""
    return tuple(read_rows(Path(__file__).with_name("usage_sources.csv"), UsageSource))


def sources_table() -> pa.Table:
    """One row per source and kind of holder, all text: the relation `usage_sources`."""
    return table(UsageSource, sources())
