"""What is common to every source of snapshots: each makes the relation `holders`, and from there on all go one way.

`describe` says of which day, `holders` and `workspaces` are the source's to make, `make_assignments` looks up licenses,
owners and last uses, and `stage` writes what came out.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import duckdb
import msgspec

from assets.days import end_of
from assets.engine import make
from assets.errors import DamagedFile
from assets.layout import DataDirectory, snapshot_file
from assets.snapshots.schema import LICENSE_ASSIGNMENTS, Provenance
from assets.snapshots.snapshot import SnapshotFacts, same_snapshot, standing_facts, write_table


@dataclass(frozen=True)
class Derived:
    """A snapshot that is staged, or (`unchanged`) stands published already, word for word.

    `guarded` says that the drop guard had something to compare it with; `damaged` are the files of earlier nights whose
    insides could not be read, so that it was made without them.
    """

    facts: SnapshotFacts
    unchanged: bool
    guarded: bool = False
    damaged: tuple[DamagedFile, ...] = ()


class Loading(NamedTuple):
    """When, by which run and why a version of a day is loaded."""

    at: datetime
    run_id: str
    reason: str | None = None


class Parameters(NamedTuple):
    """What the queries are told of the day that they make."""

    organization_name: str | None
    day: date
    observed_at: datetime
    run_id: str
    provenance: Provenance
    members_known: bool
    invites_known: bool


def describe(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> None:
    """Make the one-row relation `observation`, the parameters of every query here; and `invite_links`, none so far."""
    connection.execute("create table if not exists invite_links (invite_id varchar, holder_id varchar)")
    connection.execute(
        """create or replace table observation as select
            ?::varchar as organization_name, ?::date as day, ?::timestamptz as day_end, ?::timestamptz as observed_at,
            ?::varchar as run_id, ?::varchar as provenance, ?::boolean as members_known, ?::boolean as invites_known""",
        [
            parameters.organization_name,
            parameters.day,
            end_of(parameters.day),
            parameters.observed_at,
            parameters.run_id,
            parameters.provenance.value,
            parameters.members_known,
            parameters.invites_known,
        ],
    )


def link_invites(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `invite_links`: which member came by which invite, where the source tells of invites."""
    make(connection, __file__, "invite_links")


def make_assignments(connection: duckdb.DuckDBPyConnection, relation: str = "license_assignments") -> None:
    """Make the day's rows out of `holders`, `workspaces`, `invite_links`, what is known of usage, and `observation`."""
    make(connection, __file__, relation, "license_assignments")


def stage(
    connection: duckdb.DuckDBPyConnection,
    facts: SnapshotFacts,
    data: DataDirectory,
    staged: DataDirectory,
    loading: Loading,
) -> Derived:
    """Stage the relation `license_assignments` as the snapshot that `facts` describe, unless it stands already.

    A version is believed since it was loaded, however long before it was observed.
    """
    published = same_snapshot(connection, "license_assignments", facts, data)
    if published:
        return Derived(published, unchanged=True)
    before = standing_facts(snapshot_file(data, facts.snapshot_date, facts.organization_id))
    # Nothing is to be explained where an observed day is told for the first time.
    reason = loading.reason if before or facts.provenance is not Provenance.OBSERVED else None
    facts = msgspec.structs.replace(facts, loaded_at=loading.at, loaded_by=loading.run_id, reason=reason)
    place = snapshot_file(staged, facts.snapshot_date, facts.organization_id)
    rows = connection.sql("select * from license_assignments order by holder_type, holder_id")
    write_table(place, rows, LICENSE_ASSIGNMENTS, facts)
    return Derived(facts, unchanged=False)
