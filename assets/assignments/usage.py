"""All that is known of usage by now, as relations: what a past day's last uses are looked up in."""

from datetime import date

import duckdb

from assets.assignments.schema import COVERAGE, USAGE
from assets.layout import DataDirectory, files_before


def load_usage(connection: duckdb.DuckDBPyConnection, data: DataDirectory, organization_id: str) -> None:
    """Make `usage` and `coverage`: reports tell of past days, so a day filled later may know its uses."""
    for relation, dataset, schema in (("usage", data.usage, USAGE), ("coverage", data.coverage, COVERAGE)):
        files = [str(path) for path in files_before([dataset], organization_id, date.max)]
        if files:
            connection.read_parquet(files, hive_partitioning=False).create_view(relation)
        else:
            connection.from_arrow(schema.empty_table()).create(relation)
