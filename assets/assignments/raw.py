"""The landing's pages as typed relations: `raw_<list>`, one row per item as the API's shapes declare it."""

import duckdb

from assets.extraction.api import ENDPOINTS, Endpoint, duckdb_type
from assets.extraction.landing import Observation

LONGEST_PAGE = 16 * 1024 * 1024
"""Bytes of one page that DuckDB reads as it comes; for a longer one it is told."""


def load_raw(connection: duckdb.DuckDBPyConnection, observation: Observation | None) -> None:
    """Make `raw_<list>` for every list of the API; one that was not available is an empty relation of its shape.

    Whether a list was available is the manifest's to say: downstream asks it, never a row count.
    """
    for name, endpoint in ENDPOINTS.items():
        load_list(connection, f"raw_{name}", endpoint, observation)


def load_list(
    connection: duckdb.DuckDBPyConnection, relation: str, endpoint: Endpoint, observation: Observation | None
) -> None:
    """Make one relation of the items of one list."""
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
