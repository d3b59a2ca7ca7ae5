"""Last use, carried forward: what all nights up to a day told of an organization's use, in one file beside that night.

With it a night opens last night's file and none before. It is no record: it says of itself which files it was made
from. Where these are others now, or it cannot be read, everything is told anew from the nights' own files.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct, field

from assets.errors import DamagedFile
from assets.files.atomic import prune
from assets.files.damaged import footer
from assets.layout import COVERAGE, FACTS_KEY, LAST_USE, USAGE, DataDirectory, DayFile, day_files

FORMAT = 1


class Covered(Struct, frozen=True):
    """A run of days that a report has answered for, both included."""

    source: str
    endpoint: str
    holder_type: str
    sees: str | None
    """None: told by a version that did not say."""
    covered_from: date
    covered_to: date


class Carried(Struct, frozen=True, kw_only=True):
    """What stands beside the rows: what else a night wants to know of all nights before it."""

    digest: str
    coverage: Sequence[Covered] = ()
    """All runs of days, each once."""
    heard_from: Mapping[str, date] = field(default_factory=dict)
    """By endpoint, the first day that any night has heard of, be it lost since."""
    spoke_to: Mapping[str, date] = field(default_factory=dict)
    """By source, the last day of any use that it told of."""
    lost: Sequence[date] = ()
    """The nights whose use cannot be told any more."""
    format: int = FORMAT


NOTHING = Carried(digest="")


class Standing(NamedTuple):
    """The newest such file that still says what the nights' own files say; none where `path` is None."""

    path: Path | None
    day: date
    carried: Carried


def standing(
    trees: Sequence[DataDirectory], organization_id: str, before: date, without: Collection[Path] = ()
) -> Standing:
    """What is carried forward up to a day before `before`."""
    states = [
        file
        for file in day_files(LAST_USE, *trees, organization_id=organization_id)
        if file.day < before and file.path not in without
    ]
    marks = list(_marks(trees, organization_id)) if states else []
    for file in reversed(states):
        carried = _read(file.path)
        if carried and carried.digest == _digest(marks, file.day):
            return Standing(file.path, file.day, carried)
    return Standing(None, date.min, NOTHING)


def digest(trees: Sequence[DataDirectory], organization_id: str, day: date) -> str:
    """Names the files of all nights up to `day`: another as soon as one of them is another. None is opened."""
    return _digest(_marks(trees, organization_id), day)


def merged(told: Iterable[Covered]) -> list[Covered]:
    """The same days, in as few runs as can be."""
    runs: list[Covered] = []
    for _, alike in groupby(sorted(told, key=_order), key=_report):
        own: list[Covered] = []
        for one in alike:
            if own and one.covered_from <= own[-1].covered_to + timedelta(days=1):
                last = max(own[-1].covered_to, one.covered_to)
                own[-1] = msgspec.structs.replace(own[-1], covered_to=last)
            else:
                own.append(one)
        runs += own
    return runs


def drop_old(data: DataDirectory, organization_id: str, day: date) -> None:
    """Of what was carried up to days before `day`, keep each month's last. Only for who holds `writing`."""
    older = [file for file in day_files(LAST_USE, data, organization_id=organization_id) if file.day < day]
    kept = {(file.day.year, file.day.month): file for file in older}
    for file in set(older) - set(kept.values()):
        file.path.unlink(missing_ok=True)
        prune(file.path.parent, data.root)


def _report(one: Covered) -> tuple[str, str, str, str]:
    return one.source, one.endpoint, one.holder_type, one.sees or ""


def _order(one: Covered) -> tuple[tuple[str, str, str, str], date, date]:
    return _report(one), one.covered_from, one.covered_to


Mark = tuple[date, str, int, int]


def _marks(trees: Sequence[DataDirectory], organization_id: str) -> Iterator[Mark]:
    for dataset in (USAGE, COVERAGE):
        for file in day_files(dataset, *trees, organization_id=organization_id):
            yield _mark(dataset, file)


def _mark(dataset: str, file: DayFile) -> Mark:
    stat = file.path.stat()
    return file.day, dataset, stat.st_size, stat.st_mtime_ns


def _digest(marks: Iterable[Mark], day: date) -> str:
    told = "\n".join(f"{mark}" for mark in sorted(marks) if mark[0] <= day)
    return hashlib.sha256(told.encode()).hexdigest()


def _read(path: Path) -> Carried | None:
    """What a file says of itself; None where it cannot be read, or another version made it."""
    try:
        carried = msgspec.json.decode((footer(path).metadata or {})[FACTS_KEY], type=Carried)
    except (DamagedFile, OSError, KeyError, ValueError):
        return None
    return carried if carried.format == FORMAT else None
