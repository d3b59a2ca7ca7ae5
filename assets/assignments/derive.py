"""Raw landing to snapshot: a pure function of the observation, the reference tables and earlier observed usage.

Deriving an observation again gives the same bytes, so a replay needs no API call.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import duckdb
import msgspec
import pyarrow as pa

from assets.assignments.raw import load_raw
from assets.assignments.reference import LICENSE_TYPES, license_types
from assets.assignments.restatement import stage_restatement
from assets.assignments.schema import COVERAGE, LICENSE_ASSIGNMENTS, USAGE, HolderType, Provenance
from assets.assignments.snapshot import SnapshotFacts, last_known, read_facts, same_snapshot, write_table
from assets.days import end_of, is_final
from assets.engine import engine, sql_file
from assets.errors import SnapshotRefused
from assets.extraction.api import (
    ANALYTICS_USAGE,
    ANALYTICS_USERS,
    API_KEYS,
    CLAUDE_CODE,
    INVITES,
    MESSAGES_USAGE,
    USERS,
)
from assets.extraction.landing import Manifest, Observation
from assets.layout import DataDirectory, files_before, snapshot_file, usage_file

SEES = {
    ANALYTICS_USAGE.name: ("analytics", (HolderType.USER, HolderType.API_KEY)),
    # Only a user's OAuth requests bear an account, so no record there is no reason to say «not seen».
    MESSAGES_USAGE.name: ("messages_usage", (HolderType.API_KEY,)),
    CLAUDE_CODE.name: ("claude_code", (HolderType.USER,)),
    ANALYTICS_USERS.name: ("enterprise_analytics", (HolderType.USER,)),
}
"""Which source each usage endpoint is, and of which holders its silence tells something."""


@dataclass(frozen=True)
class DropGuard:
    """A complete answer that holds far fewer holders than the last snapshot is not published unasked."""

    percent: float = 20.0
    holders: int = 10
    accepted: bool = False

    def check(self, facts: SnapshotFacts, data: DataDirectory) -> None:
        """Compare each roster that is known with the last snapshot in which it was.

        Raises:
            SnapshotRefused: more than `percent` and more than `holders` are gone.
        """
        if self.accepted:
            return
        for noun, roster, now in (("members", "users", facts.users), ("API keys", "api_keys", facts.api_keys)):
            if now is None or not (before := last_known(data, facts.organization_id, facts.snapshot_date, roster)):
                continue
            then: int = getattr(before, roster)
            if then - now <= max(self.holders, then * self.percent / 100):
                continue
            raise SnapshotRefused(
                f"{facts.title}: on {facts.snapshot_date} there are {now:,} {noun}, after {then:,} in the snapshot of "
                f"{before.snapshot_date}: {then - now:,} gone at once (the guard allows {self.percent:g} % or "
                f"{self.holders}). The snapshot was not published and the last one stands. If so many have really "
                "gone, run again with --accept-drop."
            )


@dataclass(frozen=True)
class Derived:
    """A snapshot that is staged, or (`unchanged`) stands published already, word for word."""

    facts: SnapshotFacts
    unchanged: bool


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


def derive(
    observation: Observation,
    data: DataDirectory,
    staged: DataDirectory,
    guard: DropGuard,
    loading: Loading | None = None,
) -> Derived:
    """Stage the snapshot and the usage of one observation; `loading` is by default the observation itself.

    Raises:
        BadReference: the table of license types cannot be used.
        SnapshotRefused: the drop guard, a key that is not unique, or rows that got lost.
    """
    manifest = observation.manifest
    types = license_types(data.reference(LICENSE_TYPES))
    with engine(staged.root) as connection:
        connection.register("license_types", types)
        load_raw(connection, observation)
        describe(connection, _parameters(manifest))
        _stage_usage(connection, observation, data, staged)
        for relation in ("holders", "workspaces", "license_assignments"):
            make(connection, relation)
        facts = _facts(connection, observation)
        guard.check(facts, data)
        return stage(connection, facts, data, staged, loading)


def make(connection: duckdb.DuckDBPyConnection, relation: str, file: str = "") -> None:
    """Make a relation by the query in `sql/`, again where it exists."""
    connection.execute(f"create or replace table {relation} as {sql_file(__file__, file or relation)}")


def stage(
    connection: duckdb.DuckDBPyConnection,
    facts: SnapshotFacts,
    data: DataDirectory,
    staged: DataDirectory,
    loading: Loading | None = None,
) -> Derived:
    """Stage the relation `license_assignments` as the snapshot that `facts` describe, unless it stands already."""
    published = same_snapshot(connection, "license_assignments", facts, data)
    if published:
        return Derived(published, unchanged=True)
    before = read_facts(snapshot_file(data, facts.snapshot_date, facts.organization_id))
    if loading and (before or facts.provenance is not Provenance.OBSERVED):
        facts = msgspec.structs.replace(facts, loaded_at=loading.at, loaded_by=loading.run_id, reason=loading.reason)
    else:
        # The first version of an observed day is known since it was observed, whenever it is derived.
        facts = msgspec.structs.replace(facts, loaded_at=facts.observed_at, loaded_by=facts.run_id)
    if before:
        stage_restatement(connection, before, facts, data, staged)
    place = snapshot_file(staged, facts.snapshot_date, facts.organization_id)
    rows = connection.sql("select * from license_assignments order by holder_type, holder_id")
    write_table(place, rows, LICENSE_ASSIGNMENTS, facts)
    return Derived(facts, unchanged=False)


def describe(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> None:
    """Make the one-row relation `observation`: the parameters of every query here."""
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


def _parameters(manifest: Manifest) -> Parameters:
    return Parameters(
        manifest.organization_name,
        manifest.day,
        manifest.observed_at,
        manifest.run_id,
        Provenance.OBSERVED,
        members_known=manifest.has(USERS.name),
        invites_known=manifest.has(INVITES.name),
    )


def _stage_usage(
    connection: duckdb.DuckDBPyConnection, observation: Observation, data: DataDirectory, staged: DataDirectory
) -> None:
    """Stage what this observation said of usage; `usage` and `coverage` are all that was known by then.

    The trailing window tells a use several times, so both views repeat rows: what reads them must not count.
    """
    manifest = observation.manifest
    day, organization = manifest.day, manifest.organization_id
    make(connection, "usage_now", "usage")
    connection.register("coverage_now", _coverage(observation))
    for dataset, now, schema, known in (
        ("usage", "usage_now", USAGE, "usage"),
        ("coverage", "coverage_now", COVERAGE, "coverage"),
    ):
        place = usage_file(getattr(staged, dataset), day, organization)
        write_table(place, connection.table(now), schema)
        earlier = files_before((getattr(data, dataset), getattr(staged, dataset)), organization, day)
        files = [str(path) for path in (*earlier, place)]
        connection.read_parquet(files, hive_partitioning=False).create_view(known)


def _coverage(observation: Observation) -> pa.Table:
    rows = [
        {
            "source": source,
            "endpoint": endpoint,
            "holder_type": holder.value,
            "covered_from": outcome.covers_from,
            "covered_to": outcome.covers_to,
        }
        for endpoint, (source, holders) in SEES.items()
        if (outcome := observation.manifest.lists.get(endpoint)) and outcome.complete
        for holder in holders
    ]
    return pa.Table.from_pylist(rows, COVERAGE)


def _facts(connection: duckdb.DuckDBPyConnection, observation: Observation) -> SnapshotFacts:
    manifest = observation.manifest
    counted = connection.sql(sql_file(__file__, "tallies")).to_arrow_table().to_pylist()[0]
    rows = counted["users"] + counted["api_keys"] + counted["invites"]
    if counted.pop("distinct_holders") != rows:
        raise SnapshotRefused(
            f"{manifest.organization_name} ({manifest.organization_id}): the snapshot of {manifest.day} holds a holder "
            "twice, which is a fault of this program. It was not published and the last one stands; please report it "
            f"with the landing folder {observation.folder.name}."
        )
    for count, roster in (("users", USERS), ("api_keys", API_KEYS), ("invites", INVITES)):
        if not manifest.has(roster.name):
            counted[count] = None
    return SnapshotFacts(
        organization_id=manifest.organization_id,
        organization_name=manifest.organization_name,
        snapshot_date=manifest.day,
        provenance=Provenance.OBSERVED,
        is_final=is_final(manifest.day, manifest.observed_at),
        observed_at=manifest.observed_at,
        run_id=manifest.run_id,
        observation=manifest.observation,
        usage_sources=sorted(SEES[name][0] for name in SEES if manifest.has(name)),
        repeated=sum(outcome.repeated for outcome in manifest.lists.values()),
        **counted,
    )
