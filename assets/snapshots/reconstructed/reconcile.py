"""Reconciling: from a later observed snapshot, the feed must lead back to the earlier observed one.

Where it does not, something changed between midnight and the hour of the observation, or the feed tells less than it
should. Nothing is changed by it: it is a check that warns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from assets.engine import make, parquet_view
from assets.extraction.carried import NOTHING
from assets.extraction.coverage import UsageFiles
from assets.extraction.feed import Feed, feed_of_last_night
from assets.extraction.landing import newest_observation
from assets.layout import DataDirectory, snapshot_file
from assets.snapshots.reconstructed.rollback import Beside, rolling_back
from assets.snapshots.schema import LICENSE_ASSIGNMENTS, Provenance
from assets.snapshots.snapshot import SnapshotFacts, known_facts, snapshots_of


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


def against_last_night(tonight: SnapshotFacts, data: DataDirectory, scratch: DataDirectory) -> list[Difference] | None:
    """Where tonight's snapshot, by the feed as its own observation heard it, does not lead back to last night's.

    None where one cannot be held against the other. Only these two snapshots are read, however long the history: who
    stood at the close of the earlier day stands in its own snapshot, with the role that they had; what other days knew
    of them could only be older, or untrue by then.
    """
    organization_id, day = tonight.organization_id, tonight.snapshot_date - timedelta(days=1)
    last_night = known_facts(snapshot_file(data, day, organization_id))
    observation = newest_observation(data, organization_id, tonight.snapshot_date)
    feed = feed_of_last_night(observation) if observation else None
    if not (feed and last_night and last_night.provenance is Provenance.OBSERVED and last_night.is_final):
        return None
    both = [snapshot_file(data, facts.snapshot_date, organization_id) for facts in (last_night, tonight)]
    return _differences(last_night, tonight, feed, data, scratch, both)


def differences(
    earlier: SnapshotFacts, later: SnapshotFacts, feed: Feed, data: DataDirectory, scratch: DataDirectory
) -> list[Difference]:
    """Roll `later` back to the day of `earlier`, and compare. Snapshots of any day are asked who a holder was."""
    snapshots = [file.path for file, _ in snapshots_of(later.organization_id, data)]
    return _differences(earlier, later, feed, data, scratch, snapshots)


def _differences(
    earlier: SnapshotFacts,
    later: SnapshotFacts,
    feed: Feed,
    data: DataDirectory,
    scratch: DataDirectory,
    snapshots: list[Path],
) -> list[Difference]:
    beside = Beside(snapshots, UsageFiles([], NOTHING))  # who used what is not compared
    with rolling_back(later, feed, data, scratch, beside) as rollback:
        rollback.make_days([earlier.snapshot_date], later.run_id)
        connection = rollback.connection
        seen = snapshot_file(data, earlier.snapshot_date, earlier.organization_id)
        parquet_view(connection, "seen_snapshot", [seen], LICENSE_ASSIGNMENTS)
        known = sorted(earlier.known & later.known)
        make(connection, __file__, "comparable", known=known)
        make(connection, __file__, "differences", "reconcile")
        return [Difference(*row) for row in connection.table("differences").fetchall()]
