"""What is common to every source of snapshots: each makes the relation `holders`, and from there on all go one way.

`load_rules` comes first, once a connection; `describe` says of which day, or of which days that are made together,
`holders` and `workspaces` are the source's to make, `make_assignments` looks up licenses, owners and last uses. Then
for the day that is in turn (`turn_to`) `facts_of` counts what came out, and `stage` writes it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import duckdb
import msgspec

from assets.engine import make, sql_file
from assets.errors import DamagedFile, HolderTwice
from assets.layout import DataDirectory, snapshot_file
from assets.snapshots.schema import LICENSE_ASSIGNMENTS, HolderType, Provenance
from assets.snapshots.snapshot import COUNTS, SnapshotFacts, same_snapshot, standing_facts, write_table


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
    """Of which day of whom a snapshot is made, from what, and which rosters are known for it."""

    organization_id: str
    organization_name: str | None
    day: date
    observed_at: datetime
    run_id: str
    provenance: Provenance
    known: Collection[HolderType]


def describe(connection: duckdb.DuckDBPyConnection, parameters: Parameters, days: Sequence[date] = ()) -> None:
    """Make `observation`: one row for the day, or for each of `days` that are made together out of the same source."""
    make(
        connection,
        __file__,
        "observation",
        organization_name=parameters.organization_name,
        days=list(days) or [parameters.day],
        observed_at=parameters.observed_at,
        run_id=parameters.run_id,
        provenance=parameters.provenance.value,
        members_known=HolderType.USER in parameters.known,
        invites_known=HolderType.INVITE in parameters.known,
    )
    turn_to(connection, parameters.day)


def link_invites(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `invite_links`: which member came by which invite, where the source tells of invites."""
    make(connection, __file__, "invite_links")


def make_assignments(connection: duckdb.DuckDBPyConnection, relation: str = "license_assignments") -> None:
    """Make `assignments`, the days' rows, out of `holders`, `workspaces`, `invite_links`, what is known of usage, and
    `observation`; `relation` is the one day that is in turn."""
    make(connection, __file__, "assignments", "license_assignments")
    connection.sql(sql_file(__file__, "one_day")).create_view(relation)


def turn_to(connection: duckdb.DuckDBPyConnection, day: date) -> None:
    """Let `license_assignments` be those of another one of the days that were made together."""
    connection.execute("set variable day = $day", {"day": day})


def facts_of(
    connection: duckdb.DuckDBPyConnection,
    parameters: Parameters,
    observation: str,
    *,
    is_final: bool = True,
    **own: Any,
) -> SnapshotFacts:
    """What stands beside the rows of `license_assignments`; `own` are the facts that only its source can tell.

    A kind of holder of whom there are none, and whose roster is not known, is unknown and not zero.

    Raises:
        HolderTwice: a key that is not unique.
    """
    answer = connection.execute(sql_file(__file__, "counts"))
    counted = dict(zip(next(zip(*answer.description, strict=True)), answer.fetchall()[0], strict=True))
    is_twice = counted.pop("distinct_holders") != sum(counted[name] for name in COUNTS.values())
    for kind, name in COUNTS.items():
        if not counted[name] and kind not in parameters.known:
            counted[name] = None
    facts = SnapshotFacts(
        organization_id=parameters.organization_id,
        organization_name=parameters.organization_name,
        snapshot_date=parameters.day,
        provenance=parameters.provenance,
        is_final=is_final,
        observed_at=parameters.observed_at,
        run_id=parameters.run_id,
        observation=observation,
        **counted,
        **own,
    )
    if is_twice:
        raise HolderTwice(
            f"{facts.title}: the snapshot of {facts.snapshot_date} holds a holder twice, which is a fault of this "
            "program. It was not published and the last one stands; please report it with the landing folder "
            f"{observation}."
        )
    return facts


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
    published = same_snapshot(connection, facts, data)
    if published:
        return Derived(published, unchanged=True)
    before = standing_facts(snapshot_file(data, facts.snapshot_date, facts.organization_id))
    # Nothing is to be explained where an observed day is told for the first time.
    reason = loading.reason if before or facts.provenance is not Provenance.OBSERVED else None
    facts = msgspec.structs.replace(facts, loaded_at=loading.at, loaded_by=loading.run_id, reason=reason)
    place = snapshot_file(staged, facts.snapshot_date, facts.organization_id)
    rows = connection.table("license_assignments").order("holder_type, holder_id")
    write_table(place, rows, LICENSE_ASSIGNMENTS, facts)
    return Derived(facts, unchanged=False)
