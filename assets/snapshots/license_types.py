"""The table of license types: what a role is called, whether it takes a seat, and since when that holds."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from assets.errors import BadReference
from assets.reference import Line, Span, read_lines, refuse_overlaps

LICENSE_TYPES = "license_types.csv"
API_KEY_LICENSE = "API Key"
_COLUMNS = ("role", "license_type", "takes_seat")
_SPAN = ("valid_from", "valid_to")
TABLE = pa.schema(
    [
        ("role", pa.string()),
        ("license_type", pa.string()),
        ("takes_seat", pa.bool_()),
        ("valid_from", pa.date32()),
        ("valid_to", pa.date32()),
    ]
)


@dataclass(frozen=True)
class _Meaning:
    """What one role means in one span."""

    line: Line
    role: str
    license_type: str
    takes_seat: bool
    span: Span


def license_types(path: Path, day: date | None = None) -> pa.Table:
    """One row per role and span in which a meaning holds, as in `TABLE`; with `day`, one per role: what holds then.

    `valid_from` (inclusive) and `valid_to` (exclusive) are null where a meaning has always held, or holds without end.

    Raises:
        BadReference: a missing file or column, an empty cell, a role twice on one day, a word that is neither true nor
            false.
    """
    meanings = [_meaning(line) for line in read_lines(path, _COLUMNS, _SPAN)]
    if not meanings:
        raise BadReference(f"{path.name}, line 1: it names no role; the columns must be {','.join(_COLUMNS)}.")
    by_role: dict[str, list[_Meaning]] = defaultdict(list)
    for meaning in meanings:
        by_role[meaning.role].append(meaning)
    for role, same in by_role.items():
        refuse_overlaps(f"the meaning of the role {role}", same)
    rows = [
        (one.role, one.license_type, one.takes_seat, one.span.valid_from, one.span.valid_to)
        for one in meanings
        if day is None or one.span.start <= day < one.span.end
    ]
    return pa.Table.from_pylist([dict(zip(TABLE.names, row, strict=True)) for row in rows], TABLE)


def _meaning(line: Line) -> _Meaning:
    return _Meaning(line, line.text("role"), line.text("license_type"), line.truth("takes_seat"), line.span())
