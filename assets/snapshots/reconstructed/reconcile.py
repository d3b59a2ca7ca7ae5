"""Reconciling: from a later observed snapshot, the feed must lead back to the earlier observed one.

Where it does not, something changed between midnight and the hour of the observation, or the feed tells less than it
should. Nothing is changed by it: it is a check that warns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from assets.engine import make, parquet_view
from assets.extraction.feed import Feed
from assets.layout import DataDirectory, newest_snapshot_file
from assets.snapshots.reconstructed.rollback import rolling_back
from assets.snapshots.schema import LICENSE_ASSIGNMENTS, Provenance
from assets.snapshots.snapshot import SnapshotFacts, snapshots_of


@dataclass(frozen=True)
class Difference:
    """One holder's attribute on one day: as it was observed, and as the feed leads back to it."""

    holder_type: str
    holder_id: str
    attribute: str
    observed: str | None
    by_the_feed: str | None

    def __str__(self) -> str:
        return (
            f"{self.holder_type} {self.holder_id}, {self.attribute}: observed {self.observed or 'none'}, "
            f"by the feed {self.by_the_feed or 'none'}"
        )


def observed_pairs(
    data: DataDirectory, organization_id: str, first: date, last: date
) -> Iterator[tuple[SnapshotFacts, SnapshotFacts]]:
    """Neighbouring observed snapshots, earlier and later, whose earlier day lies between `first` and `last`."""
    found = (facts for _, facts in snapshots_of(organization_id, data))
    observed = [facts for facts in found if facts.provenance is Provenance.OBSERVED and facts.is_final]
    return ((a, b) for a, b in pairwise(observed) if first <= a.snapshot_date <= last)


def differences(
    earlier: SnapshotFacts, later: SnapshotFacts, feed: Feed, trees: Sequence[DataDirectory], scratch: DataDirectory
) -> list[Difference]:
    """Roll `later` back to the day of `earlier`, and compare; of `trees`, the last that has a snapshot is asked."""
    data = trees[0]
    with rolling_back(later, feed, data, scratch, base_file=_file(trees, later)) as rollback:
        rollback.rows_of(earlier.snapshot_date, later.run_id)
        connection = rollback.connection
        parquet_view(connection, "seen_snapshot", [_file(trees, earlier)], LICENSE_ASSIGNMENTS)
        known = [
            holder_type
            for holder_type, then, now in (
                ("user", earlier.users, later.users),
                ("api_key", earlier.api_keys, later.api_keys),
                ("invite", earlier.invites, later.invites),
            )
            if then is not None and now is not None
        ]
        connection.execute("create table comparable as select unnest(?::varchar[]) as holder_type", [known])
        make(connection, "differences", "reconcile")
        return [Difference(*row) for row in connection.table("differences").fetchall()]


def _file(trees: Sequence[DataDirectory], facts: SnapshotFacts) -> str:
    return str(newest_snapshot_file(trees, facts.snapshot_date, facts.organization_id))
