"""What each source of usage can see, as `usage_sources.csv` says it: the one place where silence is weighed.

A source that sees all use of a kind of holder makes its silence evidence; one that sees some of it does not.
"""

import csv
from dataclasses import astuple, dataclass, fields
from enum import StrEnum
from functools import cache
from pathlib import Path

import pyarrow as pa

from assets.snapshots.schema import TEXT, HolderType


class Sees(StrEnum):
    ALL = "all"
    SOME = "some"


@dataclass(frozen=True)
class UsageSource:
    """One list of the API as a source of use by one kind of holder."""

    endpoint: str
    source: str
    holder_type: HolderType
    sees: Sees
    because: str


@cache
def sources() -> tuple[UsageSource, ...]:
    """Every source and kind of holder, in the table's order."""
    with Path(__file__).with_name("usage_sources.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            UsageSource(
                row["endpoint"], row["source"], HolderType(row["holder_type"]), Sees(row["sees"]), row["because"]
            )
            for row in csv.DictReader(file)
        )


def sources_table() -> pa.Table:
    """`endpoint, source, holder_type, sees, because`, all text: the relation `usage_sources`."""
    columns = zip(*map(astuple, sources()), strict=True)
    names = [field.name for field in fields(UsageSource)]
    return pa.table([pa.array(map(str, column), TEXT) for column in columns], names=names)
