"""The landing's pages as typed relations: `raw_<list>`, one row per item as the API's shapes declare it.

What checked a page when it arrived reads it here again, so nothing that was called complete can turn out unreadable.
What an answer tells of other organizations stays in the landing and is left out here.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import chain, repeat
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from assets.columns import INSTANT, columns_of
from assets.errors import DamagedFile
from assets.extraction.api import (
    ACTIVITIES,
    ANALYTICS_USAGE,
    ANALYTICS_USERS,
    ROSTERS,
    WORKSPACES_LISTED,
    Endpoint,
)
from assets.extraction.landing import ListOutcome, Observation, read_pages
from assets.extraction.records import read_page
from assets.extraction.whose import Named, speaks_of_several, strangers

PART_BYTES = 8 * 2**20
"""So much of a usage report's pages is looked at together; one page is always."""


def load_rosters(connection: duckdb.DuckDBPyConnection, observation: Observation | None) -> None:
    """Make `raw_<list>` for every list but the usage reports; one that was not available is empty.

    Whether a list was available is the manifest's to say: downstream asks it, never a row count.
    """
    for endpoint in (*ROSTERS, WORKSPACES_LISTED):
        load_list(connection, f"raw_{endpoint.name}", endpoint, observation)


def load_list(
    connection: duckdb.DuckDBPyConnection, relation: str, endpoint: Endpoint, observation: Observation | None
) -> int:
    """Make one relation of all items of a list; returns how many were left out because they cannot be told to be this
    organization's."""
    batches = [_batch(endpoint.item, items) for items in _parts(endpoint, observation)]
    ours, foreign = _ours(pa.Table.from_batches(batches, columns_of(endpoint.item)), endpoint, observation)
    connection.from_arrow(ours).create(relation)
    return foreign


def load_parts(connection: duckdb.DuckDBPyConnection, endpoint: Endpoint, observation: Observation) -> Iterator[int]:
    """Make `raw_<list>` of one part of a list's pages after another; for each, how many items were left out.

    A report that looks back far is never in memory whole. In the end, and before the first part, the relation is empty.
    """
    nothing = columns_of(endpoint.item).empty_table()
    connection.register(f"raw_{endpoint.name}", nothing)
    for items in _parts(endpoint, observation):
        part, foreign = _ours(pa.table(_batch(endpoint.item, items)), endpoint, observation)
        connection.register(f"raw_{endpoint.name}", part)
        yield foreign
    connection.register(f"raw_{endpoint.name}", nothing)


def _parts(endpoint: Endpoint, observation: Observation | None) -> Iterator[list[Any]]:
    """The items of so many pages as are looked at together; none where the list was not read."""
    if not (observation and observation.manifest.has(endpoint.name)):
        return
    items, size = list[Any](), 0
    asked = chain(_asked_days(observation.manifest.lists[endpoint.name]), repeat(None))
    for body, day in zip(_bodies(observation, endpoint.name), asked, strict=False):
        page = read_page(endpoint, body).items
        if endpoint is ANALYTICS_USERS:
            for item in page:  # a row without a day of its own is use on the day that was asked for
                item.last_activity_date = item.last_activity_date or day
        items += page
        size += len(body)
        if size >= PART_BYTES:
            yield items
            items, size = [], 0
    if items:
        yield items


def _bodies(observation: Observation, name: str) -> Iterator[bytes]:
    """A list's pages, as many as the manifest says that there are.

    Raises:
        DamagedFile: the file is not what was sealed.
    """
    path, count = observation.pages(name), 0
    try:
        for body in read_pages(path):
            count += 1
            yield body
    except (OSError, pa.ArrowException) as error:
        raise _damaged(observation, path, str(error)) from None
    if count != observation.manifest.lists[name].pages:
        raise _damaged(observation, path, f"it has {count} of {observation.manifest.lists[name].pages} pages")


def _damaged(observation: Observation, path: Path, why: str) -> DamagedFile:
    day = observation.manifest.day
    return DamagedFile(
        path,
        f"{day} of {observation.manifest.organization_id} cannot be derived from it",
        f"Ask anew while the day can be observed (licenses snapshot --day {day} --again), or restore the file.",
        why=why,
    )


def _asked_days(outcome: ListOutcome) -> list[date | None]:
    """Per page the first day of its question; an older landing knows only the whole span's."""
    if outcome.calls is None:
        return [outcome.covers_from] * outcome.pages
    return [call.first for call in outcome.calls for _ in range(call.pages)]


def _ours(items: pa.Table, endpoint: Endpoint, observation: Observation | None) -> tuple[pa.Table, int]:
    """What can be told to be this organization's, and how many items are left out."""
    if observation is None or not speaks_of_several(endpoint):
        return items, 0
    manifest = observation.manifest
    outcome = manifest.lists.get(endpoint.name)
    of_item = _names(items, endpoint)
    named = {Named(*row.values()) for row in of_item.group_by(of_item.column_names).aggregate([]).to_pylist()}
    ours = {manifest.organization_id, *(outcome.own_ids if outcome else ())}
    others = strangers(endpoint, named, ours, asked_for_ours=outcome is not None and outcome.wished)
    if not others:
        return items, 0
    kept = items.filter(pa.array([Named(*row.values()) not in others for row in of_item.to_pylist()], pa.bool_()))
    return kept, items.num_rows - kept.num_rows


def _names(items: pa.Table, endpoint: Endpoint) -> pa.Table:
    """The organization that each item names, by one id or by both."""
    if endpoint is ACTIVITIES:
        return items.select(["organization_id", "organization_uuid"])
    if endpoint is ANALYTICS_USAGE:
        return pa.table({"organization_id": pc.struct_field(items["group"], "organization_id")})
    return items.select(["organization_id"])


def _batch(shape: type[Struct], items: list[Any]) -> pa.RecordBatch:
    schema = columns_of(shape)
    return pa.RecordBatch.from_arrays(_columns(items, list(schema)), schema=schema)


def _columns(items: list[Any], fields: list[pa.Field]) -> list[pa.Array]:
    return [_array(list(map(attrgetter(field.name), items)), field.type) for field in fields]


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_struct(kind):
        nothing = pa.array([value is None for value in values], pa.bool_()) if None in values else None
        blank = SimpleNamespace(**{field.name: None for field in kind})
        fields = _columns([blank if value is None else value for value in values] if nothing else values, list(kind))
        return pa.StructArray.from_arrays(fields, fields=list(kind), mask=nothing)
    if pa.types.is_list(kind):
        ends, inner = [0], list[Any]()
        for value in values:
            inner += value or ()
            ends.append(len(inner))
        nothing = pa.array([value is None for value in values], pa.bool_())
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), _array(inner, kind.value_type), kind, mask=nothing)
    if kind == INSTANT:
        # Of an instant Arrow would ask its zone, one by one: that is most of the work of a list of members.
        since = [None if value is None else value - _EPOCH for value in values]
        return pa.array(since, pa.duration(INSTANT.unit)).view(INSTANT)
    return pa.array(values, kind)


_EPOCH = datetime.fromtimestamp(0, UTC)
