"""How far usage is already known, so that each night asks only for what is missing and for what may still change.

A file that cannot be read stops nothing here: what it told counts as not known, and is asked for again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from assets.errors import DamagedFile
from assets.extraction.api import USAGE as REPORTS
from assets.extraction.carried import NOTHING, Carried, Covered, Standing, merged, standing
from assets.extraction.usage_calls import first_day_answered
from assets.files.damaged import damaged, footer, readable
from assets.layout import COVERAGE, FACTS_KEY, USAGE, DataDirectory, day_files


class UsageFacts(Struct, kw_only=True):
    """What stands beside the rows of a night's usage."""

    left_out: list[date] = []
    """The nights whose files tell what this night's reports told again, and which its own file therefore leaves out."""


class UsageFiles(NamedTuple):
    """What nights before a day told of one organization's use, and how far they listened."""

    usage: list[Path]
    """The nights' own files, oldest first; those alone that came after what `state` carries."""
    known: Carried
    """What all those nights have covered; what a report last spoke of, up to the `state` alone."""
    state: Path | None = None
    damaged: tuple[DamagedFile, ...] = ()
    """Of the files that were looked for, those that cannot be read."""
    inside: tuple[DamagedFile, ...] = ()
    """Of these, the ones whose footers can."""


def usage_files(
    trees: Sequence[DataDirectory], organization_id: str, before: date, without: Collection[Path] = ()
) -> UsageFiles:
    """The files of all nights for days before `before` that can be read, but for those in `without`."""
    return _files_after(Standing(None, date.min, NOTHING), trees, organization_id, before, without)


def usage_carried(
    trees: Sequence[DataDirectory], organization_id: str, before: date, without: Collection[Path] = ()
) -> UsageFiles:
    """The same, in as few files as can be: what was carried forward, and the nights after it."""
    found = standing(trees, organization_id, before, without)
    return _files_after(found, trees, organization_id, before, without)


def uncounted(told: Mapping[date, Path], others: Collection[date] = ()) -> dict[date, date]:
    """Of nights that leave out what a lost night told: the last day for which their coverage does not count.

    `told` are the usage files that can be read, by night, and `others` further nights of whom that is known. A lost
    night told of no day after its own, so for those the coverage stands.
    """
    there = {*told, *others}
    missing = {day: set(facts_of_usage(path).left_out) - there for day, path in told.items()}
    return {day: max(lost) for day, lost in missing.items() if lost}


def facts_of_usage(path: Path) -> UsageFacts:
    """What a night's usage file says of itself; one of an older version leaves out nothing."""
    said = (footer(path).metadata or {}).get(FACTS_KEY)
    return msgspec.json.decode(said, type=UsageFacts) if said else UsageFacts()


def covered_to(data: DataDirectory, organization_id: str, day: date) -> dict[str, date]:
    """Per usage endpoint, the last day up to which its data had come without a break by published observations of days
    before `day`, as far back as it can still be asked."""
    known = usage_carried([data], organization_id, day).known
    return {
        endpoint.name: _unbroken(
            [one for one in known.coverage if one.endpoint == endpoint.name],
            max(known.heard_from[endpoint.name], first_day_answered(endpoint, day)),
        )
        for endpoint in REPORTS
        if endpoint.name in known.heard_from
    }


def spoke_to(data: DataDirectory, organization_id: str, day: date) -> dict[str, date]:
    """Per usage endpoint, the last day with any use that it told of by observations of days before `day`."""
    files = usage_carried([data], organization_id, day)
    latest = dict(files.known.spoke_to)
    for path in files.usage:
        for source, last in _last_days(path).items():
            latest[source] = max(last, latest.get(source, last))
    endpoints = {one.source: one.endpoint for one in files.known.coverage}
    return {endpoints[source]: last for source, last in latest.items() if source in endpoints}


def with_night(known: Carried, told: Iterable[Covered]) -> Carried:
    """What is known with one more night's coverage."""
    told = list(told)
    heard_from = _earliest(known.heard_from, told)
    return msgspec.structs.replace(known, coverage=merged([*known.coverage, *told]), heard_from=heard_from)


def _files_after(
    found: Standing, trees: Sequence[DataDirectory], organization_id: str, before: date, without: Collection[Path]
) -> UsageFiles:
    told, heard = (
        {
            file.day: file.path
            for file in day_files(dataset, *trees, organization_id=organization_id)
            if found.day < file.day < before
        }
        for dataset in (USAGE, COVERAGE)
    )
    by_footer = readable([*told.values(), *heard.values()])[1]
    bad = {one.path for one in by_footer} | set(without)
    good = {day: path for day, path in told.items() if path not in bad}
    lost = told.keys() - good.keys()
    spans, inside = _read_coverage({day: path for day, path in heard.items() if path not in bad})
    # A night of which some is lost has told nothing: its silence would prove that nobody used anything.
    # Nor has one that left out what such a night told, for that night's days.
    carried = {file.day for file in day_files(USAGE, *trees, organization_id=organization_id) if file.day <= found.day}
    cuts = uncounted(good, carried - set(found.carried.lost))
    counted = [
        msgspec.structs.replace(one, covered_from=max(one.covered_from, cuts.get(day, date.min) + timedelta(days=1)))
        for day, own in spans.items()
        if day not in lost
        for one in own
        if day not in cuts or one.covered_to > cuts[day]
    ]
    known = msgspec.structs.replace(
        with_night(found.carried, counted),
        heard_from=_earliest(found.carried.heard_from, (one for own in spans.values() for one in own)),
        lost=sorted({*found.carried.lost, *lost}),
    )
    return UsageFiles(list(good.values()), known, found.path, (*by_footer, *inside), tuple(inside))


def _read_coverage(files: Mapping[date, Path]) -> tuple[dict[date, list[Covered]], list[DamagedFile]]:
    """Each night's coverage, and what is to be said of those whose inside cannot be read."""
    found: dict[date, list[Covered]] = {}
    inside: list[DamagedFile] = []
    for day, path in files.items():
        try:
            rows = pq.ParquetFile(path).read().to_pylist()
        except (pa.ArrowException, OSError) as error:
            inside.append(damaged(path, error))
        else:
            # what an older version did not say is null
            found[day] = msgspec.convert([{"sees": None, **row} for row in rows], list[Covered])
    return found, inside


def _last_days(path: Path) -> dict[str, date]:
    """By source, the last day of use that a night told of; nothing where its footer can be read and its inside cannot.
    A first night's file is read in parts."""
    latest: dict[str, date] = {}
    try:
        for batch in pq.ParquetFile(path).iter_batches(columns=["source", "usage_date"]):
            found = pa.table(batch).group_by("source").aggregate([("usage_date", "max")])
            for source, last in zip(found["source"].to_pylist(), found["usage_date_max"].to_pylist(), strict=True):
                latest[source] = max(last, latest.get(source, last))
    except (pa.ArrowException, OSError):
        return {}
    return latest


def _earliest(known: Mapping[str, date], told: Iterable[Covered]) -> dict[str, date]:
    first = dict(known)
    for one in told:
        first[one.endpoint] = min(one.covered_from, first.get(one.endpoint, one.covered_from))
    return first


def _unbroken(told: Iterable[Covered], first: date) -> date:
    """How far the runs reach from `first` on without a day between them of which nobody has heard."""
    reached = first - timedelta(days=1)
    for one in sorted(told, key=lambda one: one.covered_from):
        if one.covered_from > reached + timedelta(days=1):
            break
        reached = max(reached, one.covered_to)
    return reached
