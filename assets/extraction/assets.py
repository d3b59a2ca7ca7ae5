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
    require_not_behind,
)
from assets.extraction.observe import observe
from assets.extraction.organizations import Access, opened
from assets.extraction.unforeseen import sentence_of
from assets.failures import Failure, record
from assets.layout import DataDirectory
from assets.preflight import require_room
from assets.resources import AdminApi, DataFolder, PipelineClock
from assets.sentences import told

Known = Callable[[DataDirectory, str, date], dict[str, date]]

COMPLETE = "every_organization_is_complete"


class ObservationConfig(dg.Config):
    """What a person may decide about one run: to ask anew where the day has been observed and nothing is missing."""

    again: bool = False


def extraction_assets(days: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The assets of this folder, partitioned by `days`."""

    @dg.asset(
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="extraction",
        kinds={"python", "json"},
        owners=["team:operations"],
        check_specs=[
            dg.AssetCheckSpec(COMPLETE, asset="observation", description="Every configured organization was observed.")
        ],
    )
    def observation(
        context: dg.AssetExecutionContext,
        config: ObservationConfig,
        api: AdminApi,
        data: DataFolder,
        clock: PipelineClock,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """The Admin API's answers as they came: every page of every list that the keys reach, with a manifest.

        Grain: one folder per organization, day and observation. Only today (provisional) and yesterday can be observed.
        """
        with told():
            asked = [date.fromisoformat(key) for key in context.partition_keys]
            for day in asked:
                require_observable(day, clock.now(), clock.first)
            require_room(data.tree)
            require_not_behind(data.tree, clock.now())
            failures: list[Failure] = []
            night = _Night(context, config.again, data.tree, clock, api.patience(), failures)
            seen = _observe_all(night, asked, api)
            staged = data.staged(context.run)
            record(staged, failures)
            hand_over(staged, seen)
            if not seen:
                raise ListFailed("\n".join(failure.sentence for failure in failures))
        for done in seen:
            context.add_asset_metadata(_counts(done), partition_key=done.manifest.day.isoformat())
        yield dg.MaterializeResult(metadata={"organizations": len(seen)})
        yield dg.AssetCheckResult(
            check_name=COMPLETE,
            passed=not failures,
            metadata={"missing": [failure.sentence for failure in failures]},
        )

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


def _observe_all(night: _Night, asked: list[date], api: AdminApi) -> list[Observation]:
    """Every organization on its own: one's failure is a sentence, and the others go on."""
    with opened(api.credentials(), api.base_url, night.patience) as (accesses, refused):
        night.failures.extend(refused)
        with suppress(OSError):  # what cannot be read here is named where it is needed
            night.failures.extend(_lost_sight_of(accesses, night.data))
        return [observed for day in asked for access in accesses if (observed := night.observe(access, day))]


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

    Raises:
        ImpossibleDay: the day cannot be observed any more, or the API's own clock would not let it be observed, or
            would call it over where ours does not.
    """
    now = clock.now()
    require_observable(day, now, clock.first)
    theirs = None if clock.moved else access.keys[0].client.server_time
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


def _counts(done: Observation) -> dict[str, object]:
    rows = {name: outcome.rows for name, outcome in done.manifest.lists.items() if outcome.complete}
    return {
        "dagster/partition_row_count": sum(rows.values()),
        "provisional": not is_final(done.manifest.day, done.manifest.observed_at),
        "folder": done.folder.name,
        **rows,
    }
