"""How far usage is already known, so that each night asks only for what is missing and for what may still change.

A file that cannot be read stops nothing here: what it told counts as not known, and is asked for again.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.files.damaged import readable
from assets.layout import COVERAGE, USAGE, DataDirectory, day_files


class UsageFiles(NamedTuple):
    """What earlier nights said of one organization's use, and how far they listened, oldest first."""

    usage: list[Path]
    coverage: list[Path]
    some_lost: bool = False


def usage_files(
    trees: Sequence[DataDirectory], organization_id: str, before: date, without: Collection[Path] = ()
) -> UsageFiles:
    """The files of nights for days before `before` that can be read, but for those in `without`.

    A night of which some is lost has told nothing: its silence would prove that nobody used anything.
    """
    told, heard = (
        {
            file.day: file.path
            for file in day_files(dataset, *trees, organization_id=organization_id)
            if file.day < before
        }
        for dataset in (USAGE, COVERAGE)
    )
    bad = {one.path for one in readable([*told.values(), *heard.values()])[1]} | set(without)
    lost = {day for day, path in told.items() if path in bad}
    return UsageFiles(
        [path for path in told.values() if path not in bad],
        [path for day, path in heard.items() if path not in bad and day not in lost],
        some_lost=bool(bad),
    )


def covered_to(data: DataDirectory, organization_id: str, day: date) -> dict[str, date]:
    """Per usage endpoint, the last day that its data had reached by published observations of days before `day`.

    Where a night is lost, up to the first day that no other night has heard of.
    """
    covered, some_lost = _coverage(data, organization_id, day)
    if not some_lost:
        return _latest(covered, "endpoint", "covered_to")
    return {endpoint: _unbroken(covered.filter(pc.field("endpoint") == endpoint)) for endpoint in _endpoints(covered)}


def spoke_to(data: DataDirectory, organization_id: str, day: date) -> dict[str, date]:
    """Per usage endpoint, the last day with any use that it told of by observations of days before `day`."""
    covered, _ = _coverage(data, organization_id, day)
    missing = dict(zip(covered["source"].to_pylist(), covered["endpoint"].to_pylist(), strict=True))
    found: dict[str, date] = {}
    # The newest file that a source speaks in has its last word: each night's window reaches back to it.
    for told in _read(reversed(usage_files([data], organization_id, day).usage), ["source", "usage_date"]):
        if not missing:
            break
        latest = _latest(told, "source", "usage_date") if told else {}
        found |= {missing.pop(source): last for source, last in latest.items() if source in missing}
    return found


_SPANS = pa.schema(
    [("source", pa.string()), ("endpoint", pa.string()), ("covered_from", pa.date32()), ("covered_to", pa.date32())]
)
"""What coverage files of every version have."""


def _coverage(data: DataDirectory, organization_id: str, day: date) -> tuple[pa.Table, bool]:
    """All that earlier nights covered, and whether some of it is lost."""
    files = usage_files([data], organization_id, day)
    read = list(_read(files.coverage, _SPANS.names))
    whole = [table.cast(_SPANS) for table in read if table is not None]
    return pa.concat_tables([_SPANS.empty_table(), *whole]), files.some_lost or len(whole) < len(read)


def _read(paths: Iterator[Path] | Sequence[Path], columns: list[str]) -> Iterator[pa.Table | None]:
    """Each file's columns, None where its footer can be read and its inside cannot."""
    for path in paths:
        try:
            yield pq.ParquetFile(path).read(columns=columns)
        except (pa.ArrowException, OSError):
            yield None


def _endpoints(covered: pa.Table) -> list[str]:
    return sorted(set(covered["endpoint"].to_pylist()))


def _unbroken(covered: pa.Table) -> date:
    """How far the spans reach without a day between them of which nobody has heard."""
    spans = sorted(zip(covered["covered_from"].to_pylist(), covered["covered_to"].to_pylist(), strict=True))
    reached: date = spans[0][1]
    for first, last in spans:
        if first > reached + timedelta(days=1):
            break
        reached = max(reached, last)
    return reached


def _latest(table: pa.Table, key: str, value: str) -> dict[str, date]:
    kept = table.filter(pc.is_valid(table[value]))
    latest = kept.group_by(key).aggregate([(value, "max")])
    return dict(zip(latest[key].to_pylist(), latest[f"{value}_max"].to_pylist(), strict=True))
