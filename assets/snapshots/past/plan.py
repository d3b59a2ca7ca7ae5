"""Which source a past day can be filled from, and which days cannot be filled at all: decided before anything is done.

The rules (docs/design.md, Time): the best source first, a weaker one never replaces a stronger one unless asked for by
name, nor a provisional snapshot a final one; where no source can answer, the day stays a gap.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from assets.days import is_final, yesterday
from assets.errors import SnapshotRefused
from assets.extraction.feed import Rhythm
from assets.extraction.landing import Observation, newest_observation
from assets.layout import DataDirectory, snapshot_file
from assets.snapshots.reconstructed.rollback import Observed
from assets.snapshots.schema import Provenance
from assets.snapshots.snapshot import SnapshotFacts, known_facts
from assets.spans import is_in, told_spans


class Source(StrEnum):
    """How a day can be filled, the best first."""

    REPLAY = "replay"
    RECONSTRUCT = "reconstruct"


class Action(StrEnum):
    KEEP = "there already"
    REPLAY = "replay"
    RECONSTRUCT = "reconstruct"
    IMPOSSIBLE = "cannot be filled"
    REFUSED = "refused by the drop guard"


@dataclass(frozen=True)
class Wish:
    """What the operator asked for: one source or any, and whether what is there may be replaced.

    With `only_missing` nothing is that can be read, not even by a better source: nobody's decision is undone unasked.
    """

    source: Source | None = None
    replace: bool = False
    only_missing: bool = False


@dataclass(frozen=True)
class Proof:
    """What an organization's Activity Feed proves of the asked days: from `first` on, or nothing, and why.

    `rhythm` is up to when it has told anything, and how long it is used to be silent.
    """

    first: date | None
    why_not: str = ""
    rhythm: Rhythm | None = None

    def silence(self, day: date) -> str:
        """Why the feed tells nothing back to the end of a day; empty where it does."""
        if self.first is None:
            return self.why_not
        if day >= self.first:
            return ""
        return (
            f"the Activity Feed proves nothing before {self.first}: nothing in it is that old, so its silence there "
            "means nothing. Import a file that somebody kept (licenses import)"
        )

    def has_got_to(self, base: SnapshotFacts) -> bool:
        """Whether the feed is seen to have gone on up to a snapshot, but for the quiet of a night."""
        return self.rhythm is not None and self.rhythm.newest > base.observed_at - A_NIGHT

    def may_have_stopped(self, base: SnapshotFacts) -> str:
        """Why the feed must be taken to stand still before a snapshot; empty where it may as well have been quiet."""
        if self.rhythm:
            usual = min(max(self.rhythm.longest_silence, A_NIGHT), LONGEST_SILENCE)
            if self.rhythm.newest > base.observed_at - usual:
                return ""
        return (
            f"the Activity Feed has not got to the snapshot of {base.snapshot_date} that it must lead back from, which "
            f"was observed at {_minute(base.observed_at)}: its newest activity is of "
            f"{_minute(self.rhythm.newest) if self.rhythm else 'nobody knows when'}, and a feed that stands still "
            "tells nothing of what happened since. Run again when it has gone on"
        )


@dataclass(frozen=True)
class DayPlan:
    """What will happen to one organization's day; `why` says so where nothing can, without naming the day again."""

    organization_id: str
    day: date
    action: Action
    why: str = ""
    observation: Observation | None = None
    base: SnapshotFacts | None = None
    must_lead_to: SnapshotFacts | None = None
    """The observed snapshot before the day that the feed must lead back to, where nothing else shows its end."""
    refusal: SnapshotRefused | None = None
    """Why the snapshot that was made by the plan must not be published."""

    def is_refused_in(self, sentences: Iterable[str]) -> bool:
        """Whether a run that followed the plan says (`folded`) that the day cannot be filled after all."""
        begins = re.compile(rf"{re.escape(self.organization_id)}, ([^:]+) cannot be filled: ")
        return any(is_in(self.day, found[1]) for sentence in sentences if (found := begins.match(sentence)))


def folded(refusals: Iterable[DayPlan]) -> list[str]:
    """One sentence for each organization and reason, with its days."""
    return [sentence for _, sentence in folded_by_organization(refusals)]


def folded_by_organization(refusals: Iterable[DayPlan]) -> list[tuple[str, str]]:
    """The `folded` sentences, each beside its organization."""
    together: dict[tuple[str, str], list[DayPlan]] = {}
    for one in refusals:
        together.setdefault((one.organization_id, one.why), []).append(one)
    return [
        (organization_id, _refusal(organization_id, [one.day for one in plans], why))
        for (organization_id, why), plans in together.items()
    ]


def _refusal(organization_id: str, days: list[date], why: str) -> str:
    return f"{organization_id}, {told_spans(days)} cannot be filled: {why}."


A_NIGHT, LONGEST_SILENCE = timedelta(days=1), timedelta(days=7)
"""How long the feed may have been silent before a snapshot that days are rolled back from.

After a night's silence nobody asks. After a longer one it must lead back to an earlier observed snapshot, where there
is one: what it left out between the two would show there. Where there is none, it may have been silent as long as it is
used to by its latest entries, and for a week at most."""

Prove = Callable[[str, list[date]], Proof]
"""Ask an organization's feed; called only for days that need it, since it costs API calls."""


def plan(
    data: DataDirectory, organization_ids: Iterable[str], days: list[date], wish: Wish, now: datetime, prove: Prove
) -> list[DayPlan]:
    """What to do with each day of each organization, in the order of organizations and days."""
    planned: list[DayPlan] = []
    for organization_id in organization_ids:
        observed = Observed(data, organization_id)
        drafts = [_without_feed(observed, day, wish, now) for day in days]
        doubtful = [draft.day for draft in drafts if draft.action is Action.RECONSTRUCT]
        earlier = {day: found for day in doubtful if (found := observed.before(day))}
        asked = sorted({*doubtful, *(facts.snapshot_date for facts in earlier.values())})
        proof = prove(organization_id, asked) if asked else Proof(None)
        planned += [_proved(draft, proof, earlier.get(draft.day)) for draft in drafts]
    return planned


def _without_feed(observed: Observed, day: date, wish: Wish, now: datetime) -> DayPlan:
    """The plan for a day, should the feed prove it."""
    data, organization_id = observed.data, observed.organization_id
    # One that cannot be read is as good as none: whatever can tell the day takes its place.
    present = known_facts(snapshot_file(data, day, organization_id))
    if present and wish.only_missing:
        return DayPlan(organization_id, day, Action.KEEP)
    observation = newest_observation(data, organization_id, day)
    if wish.source is not Source.RECONSTRUCT and observation and _may_replay(present, observation, wish, now):
        return DayPlan(organization_id, day, Action.REPLAY, observation=observation)
    if present and not _may_reconstruct_over(present, wish):
        return DayPlan(organization_id, day, Action.KEEP)
    if wish.source is Source.REPLAY:
        return _kept_or_impossible(present, organization_id, day, "the landing holds no complete observation")
    if (base := observed.after(day)) is None:
        return _kept_or_impossible(present, organization_id, day, _no_base(day, now))
    return DayPlan(organization_id, day, Action.RECONSTRUCT, base=base)


def _may_replay(present: SnapshotFacts | None, observation: Observation, wish: Wish, now: datetime) -> bool:
    if present is None:
        return True
    closes = is_final(observation.manifest.day, observation.manifest.observed_at)
    if present.is_final and not closes:
        return False
    if present.provenance is not Provenance.OBSERVED or wish.replace or wish.source is Source.REPLAY:
        return True
    # As in the night's own run: the day's closing counts, and of a day that can still be observed the newest.
    is_newer = present.observation != observation.folder.name and observation.manifest.day >= yesterday(now)
    return is_newer or (closes and not present.is_final)


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


def _proved(draft: DayPlan, proof: Proof, earlier: SnapshotFacts | None) -> DayPlan:
    if draft.action is not Action.RECONSTRUCT or draft.base is None:
        return draft
    why = proof.silence(draft.day)
    if not why and not proof.has_got_to(draft.base):
        if earlier and not proof.silence(earlier.snapshot_date) and set(earlier.unknown) <= set(draft.base.unknown):
            return replace(draft, must_lead_to=earlier)
        why = proof.may_have_stopped(draft.base)
    return DayPlan(draft.organization_id, draft.day, Action.IMPOSSIBLE, why) if why else draft


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
