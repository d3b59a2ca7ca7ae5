"""Which workspace is the default one: what the lists of one observation tell of it, if they do."""

import duckdb

from assets.engine import make
from assets.extraction.api import WORKSPACES, WORKSPACES_LISTED
from assets.extraction.landing import Observation


def load_default_workspace(connection: duckdb.DuckDBPyConnection, observation: Observation | None) -> None:
    """Make `default_workspace`, of at most one row, out of the raw lists of workspaces and API keys."""
    manifest = observation.manifest if observation else None
    both = alone = False
    if manifest and manifest.has(WORKSPACES.name):
        both = manifest.has(WORKSPACES_LISTED.name)
        # One list alone leaves the default workspace out, unless it was asked for it.
        alone = not manifest.lists[WORKSPACES.name].wished
    make(connection, __file__, "workspace_lists", compared=both, without_default=both or alone)
    make(connection, __file__, "default_workspace")


def default_workspace(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The id in the relation `default_workspace`, None where it is not known."""
    found: list[tuple[str]] = connection.table("default_workspace").fetchall()
    return found[0][0] if found else None
