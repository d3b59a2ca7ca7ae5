"""When the jobs run: every hour, what is due by then.

A night that failed is tried again until its day closes, and a day that closed unobserved is filled from the landing or
the Activity Feed as soon as a later night is there. Each tick looks at how things stand now, so one that is made up for
after an outage does no harm. Ticks ask nobody.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster._utils.schedules import is_valid_cron_string

from assets.days import yesterday
from assets.errors import WrongUse
from assets.finance.month import month_before
from assets.orchestration.steps import ASSIGNMENTS
from assets.spans import told_spans
from pipelines.due import NIGHT_BEGINS, Gaps, done, gaps, night_has_begun, shows_what_is_published
from pipelines.execution import days_as_tags, of_steps, sentences_of
from pipelines.jobs import BACKFILL, NIGHTLY
from pipelines.running import end_dead_runs
from pipelines.settings import FillGaps, Switch

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from pipelines.settings import Settings

SCHEDULE = "nightly_at_two"
GAPS_SCHEDULE = "fill_gaps"
ATTEMPT = "licenses/gaps"
"""The tag by which a run says which gaps it was to fill, and from what."""

STOPPED = dg.DefaultScheduleStatus.STOPPED

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def status(settings: "Settings") -> dg.DefaultScheduleStatus:
    """Stopped until somebody starts them: loading these definitions beside others must not begin to ask an API."""
    return dg.DefaultScheduleStatus.RUNNING if settings.licenses_schedules is Switch.ON else STOPPED


def sensor_status(settings: "Settings") -> dg.DefaultSensorStatus:
    """As the schedules are."""
    return dg.DefaultSensorStatus(status(settings).value)


def nightly_schedule(job: "UnresolvedAssetJobDefinition", settings: "Settings") -> dg.ScheduleDefinition:
    """From 02:00 UTC on, every hour until yesterday is taken whole or can no longer be."""

    @dg.schedule(
        name=settings.names.name(SCHEDULE),
        job=job,
        cron_schedule=_cron(settings),
        execution_timezone="UTC",
        # Where automation conditions begin the nights, there must not be two of it.
        default_status=STOPPED if settings.licenses_automation is Switch.ON else status(settings),
        description="From 02:00 UTC on, every hour until the day that has ended is taken whole.",
    )
    def nightly_at_two(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        now = settings.now
        day = yesterday(now)
        end_dead_runs(context.instance, settings.data)
        if reason := _nothing_to_observe(context.instance, settings, now, day):
            return dg.SkipReason(" ".join([reason, *_told(_gaps(settings), context.instance, settings)]))
        run_key, partition = _key(str(day), context), day.isoformat()
        if context.scheduled_execution_time.date() < day:
            # Made up for after an outage: among the partitions of the tick's own time, Dagster would not find the day.
            return dg.RunRequest(run_key=run_key, tags={"dagster/partition": partition})
        return dg.RunRequest(run_key=run_key, partition_key=partition)

    return nightly_at_two


def gaps_schedule(job: "UnresolvedAssetJobDefinition", settings: "Settings") -> dg.ScheduleDefinition:
    """Days that closed unobserved: filled once a later night is there, and told as long as they are not."""

    @dg.schedule(
        name=settings.names.name(GAPS_SCHEDULE),
        job=job,
        cron_schedule=_cron(settings),
        execution_timezone="UTC",
        default_status=status(settings),
        description="Fills days that nobody observed, where landing or Activity Feed prove them; says which stay gaps.",
    )
    def fill_gaps(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        end_dead_runs(context.instance, settings.data)
        found = _gaps(settings)
        if reason := _nothing_to_fill(context.instance, settings, found):
            return dg.SkipReason(reason)
        return dg.RunRequest(
            run_key=_key(found.attempt, context),
            # Between the gaps lie days that are none: what somebody imported, for one.
            run_config=of_steps(settings.names, {ASSIGNMENTS: {"only_missing": True}}),
            tags={**days_as_tags(found.days[0], found.days[-1]), ATTEMPT: found.attempt},
        )

    return fill_gaps


def report_schedule(job: "UnresolvedAssetJobDefinition", settings: "Settings") -> dg.ScheduleDefinition:
    """The third at 06:00 UTC: by then the month's last usage has arrived, and two nights could mend its last day."""

    @dg.schedule(
        name=settings.names.name("report_on_the_third"),
        job=job,
        cron_schedule="0 6 3 * *",
        execution_timezone="UTC",
        default_status=status(settings),
        description="On the third of each month at 06:00 UTC, for the month that has ended.",
    )
    def report_on_the_third(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        month = month_before(context.scheduled_execution_time.date()).isoformat()
        return dg.RunRequest(run_key=month, partition_key=month)

    return report_on_the_third


def _nothing_to_observe(instance: dg.DagsterInstance, settings: "Settings", now: datetime, day: date) -> str | None:
    if not night_has_begun(now):
        return f"The night of {day} begins at {NIGHT_BEGINS:%H:%M} UTC."
    if day < settings.licenses_first_day:
        return f"{day} lies before {settings.licenses_first_day}, the first day of this warehouse."
    if _under_way(instance, settings.names.name(NIGHTLY), {"dagster/partition": day.isoformat()}):
        return f"A run for {day} is queued or at work already."
    taken = done(settings.data, settings.key_envs.values(), day)
    if taken and shows_what_is_published(settings.data):
        return f"{day} is done: {', '.join(f'{one.title}, observed {one.observed_at:%H:%M} UTC' for one in taken)}."
    return None


def _gaps(settings: "Settings") -> Gaps:
    return gaps(settings.data, settings.key_envs.values(), settings.now, settings.licenses_first_day)


def _nothing_to_fill(instance: dg.DagsterInstance, settings: "Settings", found: Gaps) -> str | None:
    told = " ".join(_told(found, instance, settings))
    if not found.days:
        return told or "No day within reach is a gap."
    if settings.licenses_fill_gaps is FillGaps.OFF:
        command = f"licenses backfill --from {found.days[0]} --to {found.days[-1]}"
        return f"{told} LICENSES_FILL_GAPS is off: {command} does it."
    if _under_way(instance, settings.names.name(BACKFILL), {}):
        return f"{told} A run that fills days is queued or at work already."
    day = yesterday(settings.now)
    if night_has_begun(settings.now) and not any(newest and newest >= day for _, newest in found.newest):
        return f"{told} First the night of {day} is taken: what is rolled back starts from it."
    return told if _tried(instance, found, settings) else None


def _told(found: Gaps, instance: dg.DagsterInstance, settings: "Settings") -> Iterator[str]:
    """The gaps that there are and, where filling them was tried, what came of it."""
    if found.waiting:
        yield f"{told_spans(found.waiting)}: a gap until a later night can be rolled back through the Activity Feed."
    if not found.days:
        return
    if run := _tried(instance, found, settings):
        why = " ".join(_sentences(instance, run)) or "neither landing nor feed prove it."
        yield f"{told_spans(found.days)}: stays a gap until there is something newer to fill it from: {why}"
    else:
        yield f"{told_spans(found.days)}: a gap, filled where landing or Activity Feed prove it."


def _under_way(instance: dg.DagsterInstance, job: str, tags: dict[str, str]) -> bool:
    return bool(instance.get_runs(dg.RunsFilter(job_name=job, statuses=UNDER_WAY, tags=tags), limit=1))


def _tried(instance: dg.DagsterInstance, found: Gaps, settings: "Settings") -> dg.DagsterRun | None:
    """The run that tried to fill just these; one that died without a word has not tried."""
    job = settings.names.name(BACKFILL)
    runs = instance.get_runs(dg.RunsFilter(job_name=job, tags={ATTEMPT: found.attempt}))
    return next((run for run in runs if run.is_success or _sentences(instance, run)), None)


def _sentences(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    failed = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    return sentences_of([one.event_log_entry.get_dagster_event() for one in failed])


def _key(what: str, context: dg.ScheduleEvaluationContext) -> str:
    """One a tick: a later one may try the same again."""
    return f"{what} at {context.scheduled_execution_time:%Y-%m-%dT%H:%M}"


def _cron(settings: "Settings") -> str:
    cron = " ".join(settings.licenses_schedule.split())
    if not is_valid_cron_string(cron):
        raise WrongUse(f"LICENSES_SCHEDULE: cron does not understand {cron!r}; as in 0 * * * * (every hour).")
    return cron
