"""Filling past days by plan: replayed from the landing, or reconstructed from the Activity Feed, day by day.

Each day is published as soon as it is whole, so that a backfill that is killed keeps what it has done; the warehouse
follows once, at the end of the run.
"""

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from itertools import groupby

from assets.errors import LicenseHistoryError, PublishFailed, SnapshotRefused, TooManyGone
from assets.extraction.answers import NotAvailable
from assets.extraction.carried import drop_old
from assets.extraction.deadline import Patience
from assets.extraction.feed import Feed, fetch_feed, first_day_proved, reader, rhythm
from assets.extraction.landing import Observation
from assets.extraction.organizations import Access, Credential, opened
from assets.files.publishing import publishing, told_in_words, writing
from assets.layout import CONFLICTS, COVERAGE, LAST_USE, SNAPSHOTS, USAGE, DataDirectory
from assets.resources import DropGuard
from assets.snapshots.ending import Derived, Loading
from assets.snapshots.observed.derive import derive
from assets.snapshots.past.plan import Action, DayPlan, Proof
from assets.snapshots.reconstructed.reconcile import differences
from assets.snapshots.reconstructed.rollback import rolling_back
from assets.snapshots.restatement import restate
from assets.snapshots.snapshot import SnapshotFacts

log = logging.getLogger(__name__)

DATASETS = (USAGE, COVERAGE, LAST_USE, CONFLICTS, SNAPSHOTS)
"""What is put in place of a day; the snapshot, by which all else is believed, last."""


class Feeds:
    """The Activity Feeds of the organizations that the given keys reach; no call is made before the first question."""

    _patience: Patience | None = None

    def __init__(
        self,
        credentials: Callable[[], Sequence[Credential]],
        base_url: str,
        stack: ExitStack,
        patience: Patience | None = None,
    ) -> None:
        self._credentials, self._base_url, self._stack = credentials, base_url, stack
        self._patience = patience

    @cached_property
    def _opened(self) -> tuple[dict[str, Access], str]:
        """The organizations by id, and why any that is missing may be missing."""
        try:
            accesses, failures = self._stack.enter_context(opened(self._credentials(), self._base_url, self._patience))
        except LicenseHistoryError as error:
            return {}, str(error)
        why = "; ".join(failure.sentence for failure in failures)
        return {access.organization.id: access for access in accesses}, why or "it belongs to none of the given keys"

    def prove(self, organization_id: str, days: list[date]) -> Proof:
        """From which of `days` on the organization's feed covers their ends."""
        accesses, why = self._opened
        if organization_id not in accesses:
            return Proof(None, f"its Activity Feed cannot be asked: {why}")
        try:
            client = reader(accesses[organization_id], self._patience)
            first = first_day_proved(client, organization_id, sorted(days), self._patience)
            goes_on = rhythm(client, self._patience) if first else None
        except NotAvailable as refusal:
            return Proof(
                None,
                f"the Activity Feed is not available ({refusal}): switch the Compliance API on; it tells of the days "
                "from then on. For earlier ones, import a file that somebody kept (licenses import)",
            )
        except LicenseHistoryError as error:
            return Proof(None, f"the Activity Feed could not be read: {error}")
        return Proof(
            first,
            ""
            if first
            else "the Activity Feed holds no activity from before the end of any of the days asked for, so it proves "
            "nothing of them. Import a file that somebody kept (licenses import)",
            goes_on,
        )

    def fetch(self, organization_id: str, first: date, until: datetime, how: "Filling") -> Feed:
        """What changed from the end of `first` to `until`, into the landing."""
        access = self._opened[0][organization_id]
        return fetch_feed(
            access,
            first,
            until,
            data=how.data,
            observed_at=how.now,
            run_id=how.run_id,
            patience=self._patience,
        )


@dataclass(frozen=True)
class Filling:
    """What all days of one backfill share."""

    data: DataDirectory
    staged: DataDirectory
    now: datetime
    run_id: str
    reason: str | None
    guard: DropGuard = field(default_factory=DropGuard)

    @property
    def loading(self) -> Loading:
        return Loading(self.now, self.run_id, self.reason)


def fill(plans: Sequence[DayPlan], feeds: Feeds, how: Filling) -> Iterator[tuple[DayPlan, Derived | None]]:
    """Do what the plans say, publishing each day as it is done; yields each day, without a snapshot and with another
    plan where it could not be followed: the feed tells less than was thought, or breaks off; the drop guard refuses.

    Raises:
        PublishFailed: the days yielded before are published and stay.
    """
    for one in plans:
        if one.action is Action.REPLAY and one.observation:
            try:
                with told_in_words(f"{one.organization_id}, {one.day} could not be replayed", _STANDS):
                    made = derived_and_published(one.observation, how)
            except PublishFailed:
                raise  # memory or the disk, which no other day gets on with either
            except LicenseHistoryError as error:
                yield refused(one, error), None
                continue
            yield one, made
    rolled = [one for one in plans if one.action is Action.RECONSTRUCT and one.base]
    for (organization_id, base), grouped in groupby(
        rolled, key=lambda one: (one.organization_id, one.base and one.base.snapshot_date)
    ):
        left = {one.day: one for one in grouped}
        try:
            with told_in_words(f"{organization_id}: days could not be rolled back from {base}", _STANDS):
                for one, filled in _roll_back(list(left.values()), feeds, how):
                    del left[one.day]
                    yield one, filled
        except PublishFailed:
            raise
        except LicenseHistoryError as error:  # this organization's feed; the others have their own
            yield from ((refused(one, error), None) for one in left.values())


_STANDS = "What was filled before stands, and so does what was there."


def refused(one: DayPlan, error: LicenseHistoryError) -> DayPlan:
    """What became of a plan that could not be followed."""
    action = Action.REFUSED if isinstance(error, TooManyGone) else Action.IMPOSSIBLE
    refusal = error if isinstance(error, SnapshotRefused) else None
    return replace(one, action=action, why=str(error).rstrip("."), refusal=refusal)


def _roll_back(plans: list[DayPlan], feeds: Feeds, how: Filling) -> Iterator[tuple[DayPlan, Derived | None]]:
    base = plans[0].base
    assert base is not None
    held_against = {one.must_lead_to.snapshot_date: one.must_lead_to for one in plans if one.must_lead_to}
    first = min([*(one.day for one in plans), *held_against])
    feed = feeds.fetch(base.organization_id, first, base.observed_at, how)
    astray = {day: _astray(earlier, base, feed, how) for day, earlier in held_against.items()}
    with rolling_back(base, feed, how.data, how.staged) as rollback:
        rollback.stage_conflicts()
        if rollback.conflicts:
            log.warning(
                "%s: %s contradictions on the way back from %s; see reconstruction_conflicts",
                base.title,
                f"{len(rollback.conflicts):,}",
                base.snapshot_date,
            )
        # The days nearest to what was observed first: should it be killed, what is there hangs together.
        proved = []
        for one in sorted(plans, key=lambda plan: plan.day, reverse=True):
            earlier = one.must_lead_to
            if why := rollback.why_not(one.day) or (astray[earlier.snapshot_date] if earlier else ""):
                yield replace(one, action=Action.IMPOSSIBLE, why=why), None
            else:
                proved.append(one)
        staged = rollback.stage_days([one.day for one in proved], how.loading)
        yield from ((one, published(derived, how)) for one, derived in zip(proved, staged, strict=True))


def _astray(earlier: SnapshotFacts, base: SnapshotFacts, feed: Feed, how: Filling) -> str:
    """Why a feed that may stand still is not believed: it misses what was observed; empty where it leads back to it."""
    # What a role is called is the table's to say, which may have been edited since.
    compared = differences(earlier, base, feed, how.data, how.staged)
    found = [one for one in compared if one.attribute != "license_type"]
    if not found:
        return ""
    return (
        f"the Activity Feed may stand still: nothing in it is as new as the snapshot of {base.snapshot_date}, and it "
        f"does not lead back from there to the one that was observed for {earlier.snapshot_date} ({len(found):,} "
        f"differences, such as {found[0]}). Run again when it has gone on"
    )


def derived_and_published(observation: Observation, how: Filling, loading: Loading | None = None) -> Derived:
    """The day of an observation, derived and put in place; where it is refused, nothing of it stays staged.

    Raises:
        SnapshotRefused, BadReference, PublishFailed: as `derive` and `published`.
    """
    try:
        return published(derive(observation, how.data, how.staged, how.guard, loading or how.loading), how)
    except BaseException:
        _discard_days(how)
        raise


def published(derived: Derived, how: Filling) -> Derived:
    """Put a day in place at once: should the run be killed, what it has done stays."""
    facts = derived.facts
    try:
        with told_in_words(f"{facts.title}: {facts.snapshot_date} could not be put in place"), writing(how.data):
            restate(how.data, how.staged)
            with publishing(how.staged, how.data, DATASETS):
                pass
            drop_old(how.data, facts.organization_id, facts.snapshot_date)
    except BaseException:
        _discard_days(how)
        raise
    return derived


def _discard_days(how: Filling) -> None:
    """What was told to be refused must not be put in place with the next day or organization."""
    for dataset in DATASETS:
        shutil.rmtree(how.staged.root / dataset, ignore_errors=True)
