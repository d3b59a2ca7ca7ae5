"""The landing's pages as typed relations: `raw_<list>`, one row per item as the API's shapes declare it.

What checked a page when it arrived reads it here again, so nothing that was called complete can turn out unreadable.
What an answer tells of other organizations stays in the landing and is left out here.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
from msgspec import Struct

from assets.columns import TEXT, columns_of
from assets.errors import DamagedFile
from assets.extraction.api import ACTIVITIES, ANALYTICS_USAGE, ANALYTICS_USERS, ENDPOINTS, Endpoint
from assets.extraction.landing import ListOutcome, Observation, read_pages
from assets.extraction.records import read_page
from assets.extraction.whose import Named, speaks_of_several, strangers

_NAMES = {
    ACTIVITIES.name: ("organization_id", "organization_uuid"),
    ANALYTICS_USAGE.name: ('"group".organization_id', "null"),
}
"""Where an item names its organization; elsewhere in one field of its own."""


def load_raw(connection: duckdb.DuckDBPyConnection, observation: Observation | None) -> int:
    """Make `raw_<list>` for every list of the API; one that was not available is an empty relation of its shape.

    Whether a list was available is the manifest's to say: downstream asks it, never a row count. Returns how many items
    were left out because they cannot be told to be this organization's.
    """
    return sum(load_list(connection, f"raw_{name}", endpoint, observation) for name, endpoint in ENDPOINTS.items())


def load_list(
    connection: duckdb.DuckDBPyConnection, relation: str, endpoint: Endpoint, observation: Observation | None
) -> int:
    """Make one relation of the items of one list; how many were left out."""
    batches = (_batch(endpoint.item, items) for items in _pages(endpoint, observation))
    connection.from_arrow(pa.Table.from_batches(batches, columns_of(endpoint.item))).create(relation)
    if observation is None or not speaks_of_several(endpoint):
        return 0
    return _leave_out_strangers(connection, relation, endpoint, observation)


def _pages(endpoint: Endpoint, observation: Observation | None) -> Iterator[list[Any]]:
    """The items page by page; none where the list was not read."""
    if not (observation and observation.manifest.has(endpoint.name)):
        return
    bodies = _bodies(observation, endpoint.name)
    if endpoint is not ANALYTICS_USERS:
        for body in bodies:
            yield read_page(endpoint, body).items
        return
    for body, asked in zip(bodies, _asked_days(observation.manifest.lists[endpoint.name]), strict=True):
        items = read_page(endpoint, body).items
        for item in items:  # a row without a day of its own is use on the day that was asked for
            item.last_activity_date = item.last_activity_date or asked
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


def _leave_out_strangers(
    connection: duckdb.DuckDBPyConnection, relation: str, endpoint: Endpoint, observation: Observation
) -> int:
    manifest = observation.manifest
    outcome = manifest.lists.get(endpoint.name)
    names = ", ".join(_NAMES.get(endpoint.name, ("organization_id", "null")))
    named = {Named(*row) for row in connection.execute(f"select distinct {names} from {relation}").fetchall()}
    ours = {manifest.organization_id, *(outcome.own_ids if outcome else ())}
    others = strangers(endpoint, named, ours, asked_for_ours=outcome is not None and outcome.wished)
    if not others:
        return 0
    columns = {"a": pa.array([one[0] for one in others], TEXT), "b": pa.array([one[1] for one in others], TEXT)}
    connection.register("strangers", pa.table(columns))
    # Not a file: which relation, and where its items name their organization, is the list's own.
    left_out = connection.execute(
        f"""delete from {relation} where exists (
                select 1 from strangers where (a, b) is not distinct from ({names})
            )"""
    ).fetchall()[0][0]
    connection.unregister("strangers")
    return int(left_out)


def _batch(shape: type[Struct], items: list[Any]) -> pa.RecordBatch:
    schema = columns_of(shape)
    names = [field.name for field in msgspec.structs.fields(shape)]
    values = ([getattr(item, name) for item in items] for name in names)
    arrays = [_array(of_field, field.type) for of_field, field in zip(values, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_struct(kind):
        fields = [_array([v if v is None else getattr(v, field.name) for v in values], field.type) for field in kind]
        nothing = pa.array([value is None for value in values], pa.bool_())
        return pa.StructArray.from_arrays(fields, fields=list(kind), mask=nothing)
    if pa.types.is_list(kind):
        ends, inner = [0], list[Any]()
        for value in values:
            inner += value or ()
            ends.append(len(inner))
        nothing = pa.array([value is None for value in values], pa.bool_())
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), _array(inner, kind.value_type), kind, mask=nothing)
    return pa.array(values, kind)
