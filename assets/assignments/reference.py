"""The reference tables that users edit: read strictly, refused with file and line."""

import csv
from pathlib import Path

import pyarrow as pa

from assets.errors import BadReference

LICENSE_TYPES = "license_types.csv"
API_KEY_LICENSE = "API Key"
_HEADER = ["role", "license_type", "takes_seat"]
_WORDS = {"true": True, "false": False}


def license_types(path: Path) -> pa.Table:
    """`role VARCHAR, license_type VARCHAR, takes_seat BOOLEAN`, one row per role.

    Raises:
        BadReference: a missing file or column, an empty cell, a role twice, a word that is neither true nor false.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise BadReference(f"{path.name} cannot be read: {error}") from None
    if not rows or [cell.strip() for cell in rows[0]] != _HEADER:
        raise BadReference(f"{path.name}, line 1: the columns must be {', '.join(_HEADER)}.")
    seen: dict[str, tuple[str, bool]] = {}
    for line, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        role, license_type, seat = _checked(path, line, cells)
        if role in seen:
            raise BadReference(f"{path.name}, line {line}: the role {role} stands there twice.")
        seen[role] = license_type, seat
    return pa.table(
        {
            "role": pa.array(list(seen), pa.string()),
            "license_type": pa.array([name for name, _ in seen.values()], pa.string()),
            "takes_seat": pa.array([seat for _, seat in seen.values()], pa.bool_()),
        }
    )


def _checked(path: Path, line: int, cells: list[str]) -> tuple[str, str, bool]:
    if len(cells) != len(_HEADER) or not all(cell.strip() for cell in cells):
        raise BadReference(f"{path.name}, line {line}: {len(_HEADER)} filled cells are wanted ({', '.join(_HEADER)}).")
    role, license_type, seat = (cell.strip() for cell in cells)
    if seat.lower() not in _WORDS:
        raise BadReference(f"{path.name}, line {line}: takes_seat must be true or false, not {seat}.")
    return role, license_type, _WORDS[seat.lower()]
