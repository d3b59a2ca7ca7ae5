"""What is due now: the night that has not been taken whole yet, and the gaps behind it. Knows no Dagster, asks nobody.

Schedule and command line decide by it alone, from what lies in the data directory.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from assets.days import yesterday
from assets.errors import LicenseHistoryError
from assets.extraction.landing import (
    Observation,
    newest_observation,
    organizations_observed,
    whole_observation,
)
from assets.layout import DataDirectory, snapshot_file
from assets.snapshots.schema import Provenance
from assets.snapshots.snapshot import SnapshotFacts, known_facts, organizations_known, snapshot_days
from assets.snapshots.whole_days import observed_with

NIGHT_BEGINS = time(2)
"""UTC: until then the day that has just ended is left to settle."""

FILL_BACK_DAYS = 31
"""How old a gap may be that the schedule fills by itself."""


@dataclass(frozen=True)
class Gaps:
    """Days behind us that an organization has no snapshot of, oldest first.

    Those in `waiting` lie after an organization's newest snapshot: they need a later one to be rolled back from.
    `newest` is the newest snapshot of each organization: what could not be filled from it, a newer one may.
    """

    days: tuple[date, ...]
    waiting: tuple[date, ...]
    newest: tuple[tuple[str, date | None], ...]

    @property
    def attempt(self) -> str:
        """Names an attempt to fill them: the same days, from the same newest snapshots, need no second one."""
        told = ",".join(map(str, (*self.days, *(part for pair in self.newest for part in pair))))
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def done(data: DataDirectory, key_envs: Collection[str], day: date) -> list[SnapshotFacts]:
    """The published snapshots of a day of which nothing is left to ask; none where something is.

    Done is a day of which the published snapshots show observations that nothing is missing from, made when the day
    was over, and together with every configured key.
    """
    read_by: set[str] = set()
    shown = []
    for organization_id in organizations_observed(data):
        observation = whole_observation(data, organization_id, day)
        if observation is None:
            continue
        facts = known_facts(snapshot_file(data, day, organization_id))
        if facts is None or not _shows(facts, observation):
            return []
        read_by |= observation.manifest.asked_with
        shown.append(facts)
    return shown if read_by.issuperset(key_envs) else []


def shows_what_is_published(data: DataDirectory) -> bool:
    """Whether the warehouse needs no run: one that failed or was killed may have published its day and no more."""
    from assets.warehouse.publish import is_up_to_date
    from pipelines.subjects import SUBJECTS

    try:
        return is_up_to_date(SUBJECTS, data)
    except LicenseHistoryError:
        return False  # a run says why


def night_has_begun(now: datetime) -> bool:
    """Whether yesterday may be asked for; it can be until the next midnight."""
    return now.time() >= NIGHT_BEGINS


def gaps(data: DataDirectory, key_envs: Collection[str], now: datetime, first_day: date) -> Gaps:
    """The days, over for good and within reach, that somebody should have a snapshot of and has not."""
    last = yesterday(now) - timedelta(days=1)
    reach = [last - timedelta(days=ago) for ago in reversed(range(FILL_BACK_DAYS))]
    days: set[date] = set()
    waiting: set[date] = set()
    newest = []
    observed = observed_with(data, key_envs)
    for organization_id in organizations_known(data):
        there = set(snapshot_days(data, organization_id))
        missing = [day for day in reach if day >= first_day and day not in there]
        between = {day for day in missing if there and min(there) < day < max(there)}
        landed = {day for day in missing if day not in between and newest_observation(data, organization_id, day)}
        if between or landed:
            days |= between | landed
            newest.append((organization_id, max(there, default=None)))
        if there and organization_id in observed:
            waiting |= {day for day in missing if day > max(there)} - landed
    return Gaps(tuple(sorted(days)), tuple(sorted(waiting - days)), tuple(newest))


def _shows(facts: SnapshotFacts, observation: Observation) -> bool:
    """Whether the snapshot is of this, the latest whole observation, or was put over it by a person since.

    One that is of a later observation shows less: something is missing from that.
    """
    if not facts.is_final:
        return False
    if facts.provenance is Provenance.OBSERVED:
        return facts.observation == observation.folder.name
    return facts.loaded_at is not None and facts.loaded_at >= observation.manifest.observed_at
