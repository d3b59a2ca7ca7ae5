"""The landing's pages as typed relations: `raw_<list>`, one row per item as the API's shapes declare it.

What an answer tells of other organizations stays in the landing and is left out here.
"""

from datetime import date

import duckdb
import pyarrow as pa

from assets.assignments.schema import DAY, TEXT
from assets.extraction.api import ACTIVITIES, ANALYTICS_USAGE, ANALYTICS_USERS, ENDPOINTS, Endpoint, duckdb_type
from assets.extraction.landing import ListOutcome, Observation, read_pages
from assets.extraction.paging import items_of
from assets.extraction.whose import Named, speaks_of_several, strangers

LONGEST_PAGE = 16 * 1024 * 1024
"""Bytes of one page that DuckDB reads as it comes; for a longer one it is told."""

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
    if endpoint is ANALYTICS_USERS:
        connection.from_arrow(_people(observation)).create(relation)
        return 0
    pages = f"{duckdb_type(endpoint.item)}[]"
    if observation and observation.manifest.has(endpoint.name):
        longest = observation.manifest.lists[endpoint.name].longest_page
        source = connection.read_json(
            str(observation.pages(endpoint.name)),
            columns={"data": pages},
            format="newline_delimited",
            records="true",  # without it, DuckDB parses pages at every bind to guess this
            compression="zstd",
            maximum_object_size=max(LONGEST_PAGE, longest + 1),
        )
    else:
        source = connection.sql(f"select []::{pages} as data")
    source.project("unnest(data, recursive := false) as item").project("item.*").create(relation)
    if observation is None or not speaks_of_several(endpoint):
        return 0
    return _leave_out_strangers(connection, relation, endpoint, observation)


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
    left_out = connection.execute(
        f"""delete from {relation} where exists (
                select 1 from strangers where (a, b) is not distinct from ({names})
            )"""
    ).fetchall()[0][0]
    connection.unregister("strangers")
    return int(left_out)


def _people(observation: Observation | None) -> pa.Table:
    """`analytics/users`; a row without a day of its own is use on the day that was asked for."""
    ids: list[str | None] = []
    emails: list[str | None] = []
    days: list[date | None] = []
    if observation and observation.manifest.has(ANALYTICS_USERS.name):
        asked = _asked_days(observation.manifest.lists[ANALYTICS_USERS.name])
        for body, first in zip(read_pages(observation.pages(ANALYTICS_USERS.name)), asked, strict=True):
            for row in items_of(ANALYTICS_USERS, body):
                ids.append(row.user.id if row.user else None)
                emails.append(row.user.email_address if row.user else None)
                days.append(row.last_activity_date or first)
    people = pa.StructArray.from_arrays([pa.array(ids, TEXT), pa.array(emails, TEXT)], ["id", "email_address"])
    return pa.table({"user": people, "last_activity_date": pa.array(days, DAY)})


def _asked_days(outcome: ListOutcome) -> list[date | None]:
    """Per page the first day of its question; an older landing knows only the whole span's."""
    if outcome.calls is None:
        return [outcome.covers_from] * outcome.pages
    return [call.first for call in outcome.calls for _ in range(call.pages)]
