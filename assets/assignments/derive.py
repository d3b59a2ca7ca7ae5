"""Raw landing to snapshot: a pure function of the observation, the reference tables and earlier observed usage.

Deriving an observation again gives the same bytes, so a replay needs no API call.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec

from assets.assignments.covered import coverage
from assets.assignments.raw import load_list, load_raw
from assets.assignments.reference import LICENSE_TYPES, license_types
from assets.assignments.schema import COVERAGE, LICENSE_ASSIGNMENTS, USAGE, Provenance
from assets.assignments.snapshot import (
    SnapshotFacts,
    last_known,
    next_known,
    same_snapshot,
    standing_facts,
    write_table,
)
from assets.assignments.usage import load_bearers, load_usage
from assets.assignments.usage_sources import sources
from assets.assignments.workspaces import default_workspace, load_default_workspace
from assets.damaged import files_of_nights, unreadable
from assets.days import end_of, is_final
from assets.engine import engine, sql_file
from assets.errors import DamagedFile, HolderTwice, TooManyGone
from assets.extraction import api
from assets.extraction.api import ACTIVITIES, API_KEYS, INVITES, USERS, WORKSPACES
from assets.extraction.coverage import UsageFiles, usage_files
from assets.extraction.landing import Manifest, Observation
from assets.layout import DataDirectory, snapshot_file, usage_file


@dataclass(frozen=True)
class DropGuard:
    """A complete answer that holds far fewer holders than the last snapshot is not published unasked; nor is it when a
    later day is there, unless that has as few: what somebody has accepted since is no drop any more."""

    percent: float = 20.0
    holders: int = 10
    accepted: bool = False

    def check(self, facts: SnapshotFacts, data: DataDirectory) -> bool:
        """Compare each roster that is known with the last snapshot in which it was; whether there was one.

        Raises:
            TooManyGone: more than `percent` and more than `holders` are gone.
        """
        compared = False
        if self.accepted:
            return compared
        for noun, roster, now in (("members", "users", facts.users), ("API keys", "api_keys", facts.api_keys)):
            if now is None or not (before := last_known(data, facts.organization_id, facts.snapshot_date, roster)):
                continue
            compared = True
            then: int = getattr(before, roster)
            later = next_known(data, facts.organization_id, facts.snapshot_date, roster)
            if not self._is_drop(then, now) or (later and not self._is_drop(getattr(later, roster), now)):
                continue
            raise TooManyGone(
                f"{facts.title}: on {facts.snapshot_date} there are {now:,} {noun}, after {then:,} in the snapshot of "
                f"{before.snapshot_date}: {then - now:,} gone at once (the guard allows {self.percent:g} % or "
                f"{self.holders}). The snapshot was not published and the last one stands. If so many have really "
                "gone, run again with --accept-drop."
            )
        return compared

    def _is_drop(self, others: int, now: int) -> bool:
        return others - now > max(self.holders, others * self.percent / 100)


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
        if not (bad := unreadable(files_of_nights(observation.manifest.organization_id, data, staged))):
            raise
        made = _derive(observation, data, staged, guard, loading, without={one.path for one in bad})
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
    with engine(staged.root) as connection:
        connection.register("license_types", types)
        foreign = load_raw(connection, observation)
        foreign += load_list(connection, "activities", ACTIVITIES, observation)
        describe(connection, _parameters(manifest))
        _stage_usage(connection, observation, data, staged, without)
        load_default_workspace(connection, observation)
        for relation in ("holders", "workspaces", "invite_links", "license_assignments"):
            make(connection, relation)
        facts = _facts(connection, observation, foreign)
        guarded = guard.check(facts, data)
        return replace(stage(connection, facts, data, staged, loading), guarded=guarded)


def make(connection: duckdb.DuckDBPyConnection, relation: str, file: str = "") -> None:
    """Make a relation by the query in `sql/`, again where it exists."""
    connection.execute(f"create or replace table {relation} as {sql_file(__file__, file or relation)}")


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
    connection: duckdb.DuckDBPyConnection,
    observation: Observation,
    data: DataDirectory,
    staged: DataDirectory,
    without: Collection[Path],
) -> None:
    """Stage what this observation said of usage; `usage` and `coverage` are all that was known by then.

    The trailing window tells a use several times, so both views repeat rows: what reads them must not count.
    """
    day, organization = observation.manifest.day, observation.manifest.organization_id
    make(connection, "uses")
    named = connection.execute("select distinct usage_date from uses where holder_id is null").fetchall()
    load_bearers(connection, (data, staged), organization, day, [used for (used,) in named], without)
    make(connection, "usage_now", "usage")
    make(connection, "unattributed")
    connection.register("coverage_now", coverage(connection, observation))
    told, heard = usage_file(staged.usage, day, organization), usage_file(staged.coverage, day, organization)
    write_table(told, connection.table("usage_now"), USAGE)
    write_table(heard, connection.table("coverage_now"), COVERAGE)
    earlier = usage_files((data, staged), organization, day, without)
    load_usage(connection, UsageFiles([*earlier.usage, told], [*earlier.coverage, heard]), organization)


def _facts(connection: duckdb.DuckDBPyConnection, observation: Observation, foreign: int) -> SnapshotFacts:
    manifest = observation.manifest
    counted = connection.sql(sql_file(__file__, "tallies")).to_arrow_table().to_pylist()[0]
    rows = counted["users"] + counted["api_keys"] + counted["invites"]
    if counted.pop("distinct_holders") != rows:
        raise HolderTwice(
            f"{manifest.organization_name} ({manifest.organization_id}): the snapshot of {manifest.day} holds a holder "
            "twice, which is a fault of this program. It was not published and the last one stands; please report it "
            f"with the landing folder {observation.folder.name}."
        )
    for count, roster in (("users", USERS), ("api_keys", API_KEYS), ("invites", INVITES)):
        if not manifest.has(roster.name):
            counted[count] = None
    reports = {report.name for report in api.USAGE if manifest.has(report.name)}
    return SnapshotFacts(
        organization_id=manifest.organization_id,
        organization_name=manifest.organization_name,
        snapshot_date=manifest.day,
        provenance=Provenance.OBSERVED,
        is_final=is_final(manifest.day, manifest.observed_at),
        observed_at=manifest.observed_at,
        run_id=manifest.run_id,
        observation=manifest.observation,
        usage_sources=sorted({one.source for one in sources() if one.endpoint in reports}),
        foreign=foreign,
        workspaces_known=manifest.has(WORKSPACES.name),
        default_workspace=default_workspace(connection),
        repeated=sum(outcome.repeated for outcome in manifest.lists.values()),
        **counted,
    )
