"""Raw landing to snapshot: a pure function of the observation, the reference tables and earlier observed usage.

Deriving an observation again gives the same bytes, so a replay needs no API call.
"""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from assets.assignments.raw import load_raw
from assets.assignments.reference import LICENSE_TYPES, license_types
from assets.assignments.schema import COVERAGE, LICENSE_ASSIGNMENTS, USAGE, HolderType, Provenance
from assets.assignments.snapshot import SnapshotFacts, latest_facts, same_snapshot, write_table
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
from assets.extraction.landing import Observation
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

    def check(self, facts: SnapshotFacts, before: SnapshotFacts | None) -> None:
        """Compare with the last snapshot, roster by roster, where both are known.

        Raises:
            SnapshotRefused: more than `percent` and more than `holders` are gone.
        """
        if before is None or self.accepted:
            return
        for noun, then, now in (
            ("members", before.users, facts.users),
            ("API keys", before.api_keys, facts.api_keys),
        ):
            if then is None or now is None or then - now <= max(self.holders, then * self.percent / 100):
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


def derive(observation: Observation, data: DataDirectory, staged: DataDirectory, guard: DropGuard) -> Derived:
    """Stage the snapshot and the usage of one observation.

    Raises:
        BadReference: the table of license types cannot be used.
        SnapshotRefused: the drop guard, a key that is not unique, or rows that got lost.
    """
    manifest = observation.manifest
    types = license_types(data.reference(LICENSE_TYPES))
    with engine(staged.root) as connection:
        connection.register("license_types", types)
        load_raw(connection, observation)
        _describe(connection, observation)
        _stage_usage(connection, observation, data, staged)
        for relation in ("holders", "workspaces", "license_assignments"):
            connection.execute(f"create table {relation} as {sql_file(__file__, relation)}")
        facts = _facts(connection, observation)
        guard.check(facts, latest_facts(data, facts.organization_id, facts.snapshot_date))
        published = same_snapshot(connection, "license_assignments", facts, data)
        if published:
            return Derived(published, unchanged=True)
        place = snapshot_file(staged, manifest.day, manifest.organization_id)
        rows = connection.sql("select * from license_assignments order by holder_type, holder_id")
        write_table(place, rows, LICENSE_ASSIGNMENTS, facts)
    return Derived(facts, unchanged=False)


def _describe(connection: duckdb.DuckDBPyConnection, observation: Observation) -> None:
    """The one-row relation `observation`: the parameters of every query here."""
    manifest = observation.manifest
    connection.execute(
        """create table observation as select
            ?::varchar as organization_name, ?::date as day, ?::timestamptz as day_end, ?::timestamptz as observed_at,
            ?::varchar as run_id, ?::varchar as provenance, ?::boolean as members_known""",
        [
            manifest.organization_name,
            manifest.day,
            end_of(manifest.day),
            manifest.observed_at,
            manifest.run_id,
            Provenance.OBSERVED.value,
            manifest.has(USERS.name),
        ],
    )


def _stage_usage(
    connection: duckdb.DuckDBPyConnection, observation: Observation, data: DataDirectory, staged: DataDirectory
) -> None:
    """Stage what this observation said of usage; `usage` and `coverage` are all that was known by then."""
    manifest = observation.manifest
    day, organization = manifest.day, manifest.organization_id
    connection.execute(f"create table usage_now as {sql_file(__file__, 'usage')}")
    connection.register("coverage_now", _coverage(observation))
    for dataset, now, schema, known in (
        ("usage", "usage_now", USAGE, "usage"),
        ("coverage", "coverage_now", COVERAGE, "coverage"),
    ):
        place = usage_file(getattr(staged, dataset), day, organization)
        write_table(place, connection.table(now), schema)
        earlier = files_before((getattr(data, dataset), getattr(staged, dataset)), organization, day)
        connection.read_parquet(
            [str(path) for path in (*earlier, place)], hive_partitioning=False
        ).distinct().create_view(known)


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
