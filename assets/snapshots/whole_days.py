"""Which days lie there whole: of every organization that belongs to a day, the closing snapshot is published.

Dagster's grid is green for these and no others. An organization belongs to a day from its first snapshot on, to its
last one or, as long as it is observed, for good; so a day of which one organization is missing is not green, though
the others' snapshots of it are there. While a day can still be observed, every configured key must have read one of
the snapshots, too: an organization may have none yet.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from assets.days import yesterday
from assets.extraction.landing import last_before, made_at, organizations_observed
from assets.layout import DataDirectory, snapshot_file
from assets.snapshots.snapshot import SnapshotFacts, known_facts, organizations_known, snapshot_days

if TYPE_CHECKING:
    from assets.resources import Installation


@dataclass
class WholeDays:
    """What is published; a run that publishes a day says so by `add`."""

    data: DataDirectory
    days: dict[str, set[date]] = field(default_factory=dict)
    """By organization, the days of which it has a snapshot."""
    observed: dict[str, set[str]] = field(default_factory=dict)
    """The organizations that today's keys observe, and by which keys."""
    key_envs: frozenset[str] = frozenset()
    still: date = date.max
    """The first day that can still be observed."""
    _ends: dict[str, tuple[date, date]] = field(default_factory=dict, repr=False, compare=False)
    """By organization, its first and its last day, once they have been looked for."""

    @classmethod
    def of(cls, given: "Installation") -> "WholeDays":
        data, key_envs = given.data, frozenset(given.api.key_envs.values())
        days = {one: set(snapshot_days(data, one)) for one in organizations_known(data)}
        return cls(data, days, observed_with(data, key_envs), key_envs, yesterday(given.clock.now()))

    def add(self, facts: SnapshotFacts) -> None:
        self.days.setdefault(facts.organization_id, set()).add(facts.snapshot_date)
        self._ends.pop(facts.organization_id, None)

    def published(self, day: date) -> list[SnapshotFacts]:
        """The snapshots of a day where none is missing of those that belong to it, be they provisional; else none."""
        belonging = self.organizations_of(day)
        told = [facts for one in belonging if (facts := known_facts(snapshot_file(self.data, day, one)))]
        return told if len(told) == len(belonging) and self._is_read_by_all(day, belonging) else []

    def closed(self, day: date) -> list[SnapshotFacts]:
        """The snapshots of a day that lies there whole and closed; else none."""
        told = self.published(day)
        return told if all(facts.is_final for facts in told) else []

    @property
    def every_day(self) -> list[date]:
        """The days of which any organization has something, oldest first."""
        return sorted(set().union(*self.days.values()))

    def lies_there(self, day: date) -> bool:
        """Whether there is a file of each organization that belongs to the day; none is opened."""
        belonging = self.organizations_of(day)
        return bool(belonging) and all(day in self.days[one] for one in belonging)

    def organizations_of(self, day: date) -> list[str]:
        """The organizations that belong to the day."""
        return [one for one, there in self.days.items() if there and self._belongs(one, day)]

    @property
    def unread(self) -> frozenset[str]:
        """The configured keys that have read no organization's last observation."""
        return self.key_envs.difference(*self.observed.values())

    def _is_read_by_all(self, day: date, organizations: list[str]) -> bool:
        read_by = set().union(*(self.observed.get(one, set()) for one in organizations))
        return day < self.still or self.key_envs <= read_by

    def closing_days(self) -> dict[str, date | None]:
        """The last closing day of each organization that is observed, by its title; None where it has none."""
        found: dict[str, date | None] = {}
        for one in sorted(self.observed):
            latest_first = sorted(self.days[one], reverse=True)
            known = (facts for day in latest_first if (facts := known_facts(snapshot_file(self.data, day, one))))
            last = next((facts for facts in known if facts.is_final), None)
            found[last.title if last else one] = last.snapshot_date if last else None
        return found

    def _belongs(self, organization_id: str, day: date) -> bool:
        if organization_id not in self._ends:
            there = self.days[organization_id]
            self._ends[organization_id] = min(there), max(there)
        first, last = self._ends[organization_id]
        return first <= day and (day <= last or organization_id in self.observed)


def day_metadata(there: list[SnapshotFacts]) -> dict[str, object]:
    """What the UI shows and plots of a day: seats by kind of holder, of all organizations; unknown ones left out."""
    rosters = {
        "members": [facts.users for facts in there],
        "api_keys": [facts.api_keys for facts in there],
        "pending_invites": [facts.invites for facts in there],
    }
    counts = {noun: sum(known) for noun, told in rosters.items() if (known := [one for one in told if one is not None])}
    return {
        "dagster/partition_row_count": sum(counts.values()),
        "organizations": len(there),
        "provenance": sorted({facts.provenance.value for facts in there}),
        **counts,
    }


def day_version(there: list[SnapshotFacts]) -> str:
    """Names what is published of a day: another as soon as any organization's rows are others."""
    told = sorted(f"{one.organization_id} {one.loaded_at or one.observed_at} {one.observation}" for one in there)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


def observed_with(data: DataDirectory, key_envs: Collection[str]) -> dict[str, set[str]]:
    """The organizations that today's keys observe, and by which: a key is that organization's which it read last.

    One whose keys were taken out of the settings, or hold another organization's access by now, is observed no more.
    """
    last = (next(last_before(data, one, date.max), None) for one in organizations_observed(data))
    holders: dict[str, str] = {}
    for observation in sorted(filter(None, last), key=lambda one: made_at(one.folder)):
        keys = observation.manifest.asked_with.intersection(key_envs)
        holders |= dict.fromkeys(keys, observation.manifest.organization_id)
    return {one: {key for key, holder in holders.items() if holder == one} for one in set(holders.values())}
