"""Which source a past day can be filled from, and which days cannot be filled at all: decided before anything is done.

The rules (design, section 2): the best source first, a weaker one never replaces a stronger one unless asked for by
name, nor a provisional snapshot a final one; where no source can answer, the day stays a gap.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from assets.assignments.reconstruct import base_for
from assets.assignments.schema import Provenance
from assets.assignments.snapshot import SnapshotFacts, read_facts
from assets.days import is_final, yesterday
from assets.extraction.landing import Observation, newest_observation
from assets.layout import DataDirectory, snapshot_file


class Source(StrEnum):
    """How a day can be filled, the best first."""

    REPLAY = "replay"
    RECONSTRUCT = "reconstruct"


class Action(StrEnum):
    KEEP = "there already"
    REPLAY = "replay"
    RECONSTRUCT = "reconstruct"
    IMPOSSIBLE = "cannot be filled"


@dataclass(frozen=True)
class Wish:
    """What the operator asked for: one source or any, and whether what is there may be replaced."""

    source: Source | None = None
    replace: bool = False


@dataclass(frozen=True)
class Proof:
    """What an organization's Activity Feed proves of the asked days: from `first` on, or nothing, and why."""

    first: date | None
    why_not: str = ""


@dataclass(frozen=True)
class DayPlan:
    """What will happen to one organization's day; `why` says so where nothing can."""

    organization_id: str
    day: date
    action: Action
    why: str = ""
    observation: Observation | None = None
    base: SnapshotFacts | None = None


Prove = Callable[[str, list[date]], Proof]
"""Ask an organization's feed; called only for days that need it, since it costs API calls."""


def plan(
    data: DataDirectory, organization_ids: Iterable[str], days: list[date], wish: Wish, now: datetime, prove: Prove
) -> list[DayPlan]:
    """What to do with each day of each organization, in the order of organizations and days."""
    planned: list[DayPlan] = []
    for organization_id in organization_ids:
        drafts = [_without_feed(data, organization_id, day, wish, now) for day in days]
        doubtful = [draft.day for draft in drafts if draft.action is Action.RECONSTRUCT]
        proof = prove(organization_id, doubtful) if doubtful else Proof(None)
        planned += [_proved(draft, proof) for draft in drafts]
    return planned


def _without_feed(data: DataDirectory, organization_id: str, day: date, wish: Wish, now: datetime) -> DayPlan:
    """The plan for a day, should the feed prove it."""
    present = read_facts(snapshot_file(data, day, organization_id))
    observation = newest_observation(data, organization_id, day)
    base = base_for(data, organization_id, day)
    if wish.source is not Source.RECONSTRUCT and observation and _may_replay(present, observation, wish):
        return DayPlan(organization_id, day, Action.REPLAY, observation=observation)
    if present and not _may_reconstruct_over(present, wish):
        return DayPlan(organization_id, day, Action.KEEP)
    if wish.source is Source.REPLAY:
        return _kept_or_impossible(present, organization_id, day, f"the landing holds no complete observation of {day}")
    if base is None:
        return _kept_or_impossible(present, organization_id, day, _no_base(day, now))
    return DayPlan(organization_id, day, Action.RECONSTRUCT, base=base)


def _may_replay(present: SnapshotFacts | None, observation: Observation, wish: Wish) -> bool:
    if present is None:
        return True
    if present.is_final and not is_final(observation.manifest.day, observation.manifest.observed_at):
        return False
    return present.provenance is not Provenance.OBSERVED or wish.replace or wish.source is Source.REPLAY


def _may_reconstruct_over(present: SnapshotFacts, wish: Wish) -> bool:
    if present.provenance is Provenance.IMPORTED:
        return True
    return wish.replace and (present.provenance is Provenance.RECONSTRUCTED or wish.source is Source.RECONSTRUCT)


def _kept_or_impossible(present: SnapshotFacts | None, organization_id: str, day: date, why: str) -> DayPlan:
    return DayPlan(organization_id, day, Action.KEEP if present else Action.IMPOSSIBLE, why)


def _no_base(day: date, now: datetime) -> str:
    if day > yesterday(now):
        return f"{day} is not over yet: licenses snapshot --day {day} takes it as provisional, on the day itself"
    if day == yesterday(now):
        return f"{day} can still be observed: licenses snapshot --day {day}"
    return (
        "no observed snapshot lies after it to roll back from: take one (licenses snapshot), or import a file that "
        "somebody kept (licenses import)"
    )


def _proved(draft: DayPlan, proof: Proof) -> DayPlan:
    if draft.action is not Action.RECONSTRUCT or (proof.first is not None and draft.day >= proof.first):
        return draft
    why = proof.why_not or (
        f"the Activity Feed proves nothing before {proof.first}: its first activity is later than the end of "
        f"{draft.day}, so its silence there means nothing. Import a file that somebody kept (licenses import)"
    )
    return DayPlan(draft.organization_id, draft.day, Action.IMPOSSIBLE, why)
