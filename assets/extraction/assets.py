"""The Dagster asset `observation`: each organization's answers of one day, raw, in the landing."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import dagster as dg

from assets.days import end_of, is_final, require_observable
from assets.errors import ImpossibleDay, ListFailed
from assets.extraction.coverage import covered_to, spoke_to
from assets.extraction.deadline import Patience
from assets.extraction.handover import hand_over
from assets.extraction.landing import (
    Observation,
    last_before,
    made_at,
    newest_observation,
    organizations_observed,
)
from assets.extraction.observe import observe
from assets.extraction.organizations import Access, opened
from assets.extraction.ready import require_ready
from assets.extraction.resource import AdminApi
from assets.extraction.unforeseen import sentence_of
from assets.layout import DataDirectory
from assets.orchestration.failures import Failure
from assets.orchestration.names import Names
from assets.orchestration.sentences import told
from assets.orchestration.steps import OBSERVATION, DayEvent, day_event, days_of, end, without_events
from assets.resources import Installation, PipelineClock

Known = Callable[[DataDirectory, str, date], dict[str, date]]

COMPLETE = "every_organization_is_complete"


class ObservationConfig(dg.Config):
    """What a person may decide about one run: to ask anew where the day has been observed and nothing is missing."""

    again: bool = False


def extraction_assets(
    days: dg.PartitionsDefinition, names: Names, automation: dg.AutomationCondition[dg.AssetKey] | None
) -> list[dg.AssetsDefinition]:
    """The assets of this folder, partitioned by `days`."""
    key = names.key(OBSERVATION)

    @dg.asset(
        key=key,
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        automation_condition=automation,
        pool=names.pool,
        kinds={"python", "json"},
        check_specs=[
            dg.AssetCheckSpec(COMPLETE, asset=key, description="Every configured organization was observed whole.")
        ],
        required_resource_keys={names.resource},
        **names.attributes,
    )
    def observation(
        context: dg.AssetExecutionContext, config: ObservationConfig
    ) -> Iterator[DayEvent | dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """The Admin API's answers as they came: every page of every list that the keys reach, with a manifest.

        Grain: one folder per organization, day and observation. Only today (provisional) and yesterday can be observed.
        A day is materialized once it is over and no configured organization is missing.
        """
        given = Installation.given_to(context, names)
        data, api, clock = given.data, given.api, given.clock
        staged = given.staged(context.run)
        with told():
            asked = days_of(context)
            for day in asked:
                require_observable(day, clock.now(), clock.first)
            require_ready(data, clock.now())
            failures: list[Failure] = []
            night = _Night(context, config.again, data, clock, api.patience(), failures)
            seen, whole = _observe_all(night, asked, api)
            hand_over(staged, seen)
        yield dg.AssetCheckResult(
            check_name=COMPLETE,
            passed=not failures,
            metadata={"missing": [failure.sentence for failure in failures]},
        )
        if not seen:
            with told():
                raise ListFailed("\n".join(failure.sentence for failure in failures))
        if whole:
            yield from (observed_event(key, day, [one for one in seen if one.manifest.day == day]) for day in asked)
        yield without_events()
        end(context, names, OBSERVATION, staged, failures)

    return [observation]


@dataclass(frozen=True)
class _Night:
    """What all organizations of one run share."""

    context: dg.AssetExecutionContext
    again: bool
    data: DataDirectory
    clock: PipelineClock
    patience: Patience
    failures: list[Failure]

    def fail(self, access: Access, day: date, what: str) -> None:
        self.failures.append(Failure(access.title, f"{access.title}, {day}: {what}"))

    def observe(self, access: Access, day: date) -> Observation | None:
        """The organization's day, asked for unless it stands whole in the landing; None where it failed."""
        try:
            require_right_clock(access, day, self.clock)
            newest = None if self.again else newest_observation(self.data, access.organization.id, day)
            nothing_left = newest and newest.manifest.whole and newest.manifest.closes_its_day
            observed = newest if newest and nothing_left else self._ask(access, day)
        except Exception as error:
            self.fail(
                access,
                day,
                f"{sentence_of(error).rstrip('.')}. The snapshot of {day} was not written for this organization; "
                "everything published before stands as it was.",
            )
            return None
        sentences = [*observed.manifest.missing, *observed.manifest.odd]
        self.failures.extend(Failure(access.title, sentence) for sentence in sentences)
        return observed

    def _ask(self, access: Access, day: date) -> Observation:
        observed = observe(
            access,
            day,
            data=self.data,
            observed_at=self.clock.now(),
            run_id=self.context.run.run_id,
            covered_to=self._known(covered_to, access, day),
            spoke_to=self._known(spoke_to, access, day),
            patience=ending_in_time(self.patience, day, self.clock),
            in_time=lambda: require_observable(day, self.clock.now(), self.clock.first),
            again=self.again,
        )
        for name, outcome in observed.manifest.lists.items():
            if not outcome.complete:
                self.context.log.info(f"{access.title}, {day}: {name} is {outcome.state.value}: {outcome.reason}")
        return observed

    def _known(self, of: Known, access: Access, day: date) -> dict[str, date]:
        """What earlier nights published of usage: where it cannot be read, more is asked than need be."""
        try:
            return of(self.data, access.organization.id, day)
        except Exception as error:
            self.fail(access, day, f"{sentence_of(error).rstrip('.')}.")
            return {}


def _observe_all(night: _Night, asked: list[date], api: AdminApi) -> tuple[list[Observation], bool]:
    """Every organization on its own: one's failure is a sentence, and the others go on. With it, whether each
    configured organization was observed."""
    with opened(api.credentials(), api.base_url, night.patience) as (accesses, refused):
        night.failures.extend(refused)
        with suppress(OSError):  # what cannot be read here is named where it is needed
            night.failures.extend(_lost_sight_of(accesses, night.data))
        tried = [night.observe(access, day) for day in asked for access in accesses]
    seen = [observed for observed in tried if observed]
    return seen, len(seen) == len(tried) and not refused


def _lost_sight_of(accesses: list[Access], data: DataDirectory) -> Iterator[Failure]:
    """Organizations whose last observation went by a key that now belongs to another one. Told once, in the night that
    first observes the other: whoever takes an organization out of the settings does so knowingly, this is a mistake.
    """
    here = {access.organization.id for access in accesses}
    for lost in (one for known in organizations_observed(data) if known not in here and (one := _last(data, known))):
        for access in accesses:
            taken = sorted(lost.manifest.asked_with.intersection(holder.key_env for holder in access.keys))
            newest = _last(data, access.organization.id) if taken else None
            if taken and (newest is None or made_at(newest.folder) < made_at(lost.folder)):
                title = f"{lost.manifest.organization_name or 'the organization'} ({lost.manifest.organization_id})"
                yield Failure(
                    lost.manifest.organization_id,
                    f"{title} is observed no more: {' and '.join(taken)}, by which it was observed up to "
                    f"{lost.manifest.day}, holds a key of {access.title} now, which is observed from now on. If that "
                    f"is not meant, put the key of {title} back before its day closes; this is said once.",
                )


def _last(data: DataDirectory, organization_id: str) -> Observation | None:
    return next(last_before(data, organization_id, date.max), None)


def ending_in_time(patience: Patience, day: date, clock: PipelineClock) -> Patience:
    """Patience that ends with the day after `day` at the latest; a clock that was moved may stand still."""
    if clock.moved:
        return patience
    return patience.ending_within((end_of(day + timedelta(days=1)) - clock.now()).total_seconds())


def require_right_clock(access: Access, day: date, clock: PipelineClock) -> None:
    """Refuse a day that cannot be observed now, or while this machine's clock is contradicted: today's roster must
    never stand under a past day. A run may have come to this organization only after midnight.

    A clock that was moved is for stand-ins on this machine; whoever moved it, no other organization is asked by it.

    Raises:
        ImpossibleDay: the day cannot be observed any more, or the API's own clock would not let it be observed, or
            would call it over where ours does not; or the clock was moved.
    """
    now = clock.now()
    require_observable(day, now, clock.first)
    client = access.keys[0].client
    if clock.moved and not client.is_on_this_machine:
        raise ImpossibleDay(
            f"the clock was moved to {_second(now)}, which is for a stand-in on this machine alone: today's state "
            "would be written under another day"
        )
    theirs = None if clock.moved else client.server_time
    if theirs is not None and _contradicts(day, now, theirs, clock.first):
        raise ImpossibleDay(
            f"this machine's clock stands at {_second(now)}, the API's at {_second(theirs)}, so they differ about "
            f"whether {day} can be observed and is over. Set the clock right and run again"
        )


def _contradicts(day: date, ours: datetime, theirs: datetime, first_day: date) -> bool:
    try:
        require_observable(day, theirs, first_day)
    except ImpossibleDay:
        return True
    return is_final(day, theirs) != is_final(day, ours)


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def observed_event(key: dg.AssetKey, day: date, seen: list[Observation]) -> DayEvent:
    """What the UI shows of a day: how many rows of each list there are, all organizations together."""
    lists = [(name, one.rows) for done in seen for name, one in done.manifest.lists.items() if one.complete]
    rows = {name: sum(count for other, count in lists if other == name) for name, _ in lists}
    metadata = {
        "dagster/partition_row_count": sum(rows.values()),
        "organizations": len(seen),
        "folders": [done.folder.name for done in seen],
        **rows,
    }
    return day_event(key, day, metadata, closed=all(done.manifest.closes_its_day for done in seen))
