"""Raw landing to snapshot: a pure function of the observation, the reference tables and earlier observed usage.

Deriving an observation again gives the same bytes, so a replay needs no API call.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import duckdb

from assets.days import is_final
from assets.engine import engine, make, sql_file
from assets.extraction import api
from assets.extraction.api import WORKSPACES
from assets.extraction.landing import Observation
from assets.files.damaged import files_of_nights, unreadable
from assets.layout import LAST_USE, DataDirectory, day_files
from assets.resources import DropGuard
from assets.snapshots.drop_guard import require_no_drop
from assets.snapshots.ending import (
    Derived,
    Loading,
    Parameters,
    facts_of,
    link_invites,
    make_assignments,
    stage,
)
from assets.snapshots.license_types import LICENSE_TYPES, license_types
from assets.snapshots.observed.usage import Night, load_night, parameters_of, stage_usage
from assets.snapshots.snapshot import SnapshotFacts
from assets.snapshots.usage_sources import sources
from assets.snapshots.workspaces import default_workspace, load_default_workspace


def derive(
    observation: Observation,
    data: DataDirectory,
    staged: DataDirectory,
    guard: DropGuard,
    loading: Loading,
) -> Derived:
    """Stage the snapshot and the usage of one observation.

    Raises:
        BadReference: the table of license types cannot be used.
        TooManyGone: the drop guard.
        HolderTwice: a key that is not unique.
    """
    try:
        return _derive(observation, data, staged, guard, loading)
    except duckdb.Error:
        # The roster can never be asked again: what an old file would have told is the lesser loss.
        organization = observation.manifest.organization_id
        bad = unreadable(files_of_nights(organization, data, staged))
        states = [file.path for file in day_files(LAST_USE, data, staged, organization_id=organization)]
        if not (bad or states):
            raise
        made = _derive(observation, data, staged, guard, loading, without={*states, *(one.path for one in bad)})
        return replace(made, damaged=tuple(bad))


def _derive(
    observation: Observation,
    data: DataDirectory,
    staged: DataDirectory,
    guard: DropGuard,
    loading: Loading,
    without: Collection[Path] = (),
) -> Derived:
    manifest = observation.manifest
    types = license_types(data.reference(LICENSE_TYPES), manifest.day)
    parameters = parameters_of(manifest)
    with engine(staged.root, alone=True) as connection:
        connection.register("license_types", types)
        foreign = load_night(connection, observation)
        uses, damaged = stage_usage(connection, Night(observation, data, staged, without))
        load_default_workspace(connection, observation)
        make(connection, __file__, "workspaces")
        link_invites(connection)
        make_assignments(connection)
        facts = _facts(connection, observation, parameters, foreign=foreign, **uses)
        guarded = require_no_drop(guard, facts, data)
        return replace(stage(connection, facts, data, staged, loading), guarded=guarded, damaged=damaged)


def _facts(
    connection: duckdb.DuckDBPyConnection, observation: Observation, parameters: Parameters, **counted: int
) -> SnapshotFacts:
    manifest = observation.manifest
    reports = {report.name for report in api.USAGE if manifest.has(report.name)}
    tallies = connection.sql(sql_file(__file__, "tallies")).to_arrow_table().to_pylist()[0]
    return facts_of(
        connection,
        parameters,
        manifest.observation,
        is_final=is_final(manifest.day, manifest.observed_at),
        usage_sources=sorted({one.source for one in sources() if one.endpoint in reports}),
        workspaces_known=manifest.has(WORKSPACES.name),
        default_workspace=default_workspace(connection),
        repeated=sum(outcome.repeated for outcome in manifest.lists.values()),
        **counted,
        **tallies,
    )
