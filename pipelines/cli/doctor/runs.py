"""What a Dagster instance knows of daemon, schedule and runs, wherever it keeps them. It is asked, and told nothing."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType

from assets.orchestration.names import Names
from pipelines.execution import sentences_of
from pipelines.jobs import NIGHTLY
from pipelines.schedule import SCHEDULE, UNDER_WAY

_PAGE = 50
_DAY = "dagster/partition"
ASSET_JOB = "__ASSET_JOB"
"""Dagster's name for what is materialized without a job."""


@dataclass(frozen=True)
class Run:
    """One run in Dagster's words; `day` is None where it was for several days or for none."""

    id: str
    job: str
    status: str
    day: str | None
    at: datetime


@dataclass(frozen=True)
class Told:
    """What the instance says; instants are UTC, texts are Dagster's words. A daemon that never ran knows no schedule.

    `last_night` is the latest ended run for a day that is over: a provisional snapshot is no night. `why` are the
    sentences with which it failed.
    """

    heartbeat: datetime | None
    state: str | None
    tick: tuple[str, datetime] | None
    last_night: Run | None
    why: tuple[str, ...]
    under_way: tuple[Run, ...]


@dataclass(frozen=True)
class Question:
    """Which schedule and job to look for, and the last day that is over."""

    names: Names
    last_day: str

    @property
    def schedule(self) -> str:
        return self.names.name(SCHEDULE)

    @property
    def job(self) -> str:
        return self.names.name(NIGHTLY)

    def last_night(self, newest_first: Iterable[Run]) -> Run | None:
        """The latest run for a day that is over that has ended."""
        nights = (run for run in newest_first if run.day and run.day <= self.last_day)
        return next((run for run in nights if dg.DagsterRunStatus(run.status) not in UNDER_WAY), None)

    def ours(self, runs: Iterable[Run]) -> tuple[Run, ...]:
        """Those that may be this pipeline's: others have their jobs in a shared instance, too."""
        return tuple(run for run in runs if run.job == ASSET_JOB or run.job.startswith(self.names.name("")))


def told(opened: dg.DagsterInstance, question: Question, bring_log: Callable[[str], object]) -> Told:
    """The instance's answers; the log of the run with this id is brought before it is read."""
    heartbeat = opened.get_daemon_heartbeats().get("SCHEDULER")
    state, tick = _schedule(opened, question.schedule)
    last_night = question.last_night(_nights(opened, question))
    if last_night:
        bring_log(last_night.id)
    return Told(
        heartbeat=_instant(heartbeat.timestamp) if heartbeat else None,
        state=state,
        tick=tick,
        last_night=last_night,
        why=tuple(_sentences(opened, last_night.id)) if last_night else (),
        under_way=tuple(map(_run, opened.get_run_records(dg.RunsFilter(statuses=UNDER_WAY)))),
    )


def _schedule(opened: dg.DagsterInstance, name: str) -> tuple[str | None, tuple[str, datetime] | None]:
    """The state and the last tick of the schedule; of several code locations, of the one that ticked last."""
    found: list[tuple[str, tuple[str, datetime] | None]] = []
    for state in opened.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        if state.instigator_name == name:
            ticks = opened.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
            found.append((state.status.value, (ticks[0].status.value, _instant(ticks[0].timestamp)) if ticks else None))
    return max(found, key=lambda one: one[1][1].timestamp() if one[1] else 0.0, default=(None, None))


def _nights(opened: dg.DagsterInstance, question: Question) -> Iterator[Run]:
    """The job's runs, newest first, page by page: mostly the first one is the answer."""
    cursor = None
    while True:
        page = opened.get_run_records(dg.RunsFilter(job_name=question.job), limit=_PAGE, cursor=cursor)
        yield from map(_run, page)
        if len(page) < _PAGE:
            return
        cursor = page[-1].dagster_run.run_id


def _run(record: dg.RunRecord) -> Run:
    run = record.dagster_run
    at = record.update_timestamp.replace(tzinfo=record.update_timestamp.tzinfo or UTC).astimezone(UTC)
    return Run(run.run_id, run.job_name, run.status.value, run.tags.get(_DAY), at)


def _sentences(opened: dg.DagsterInstance, run_id: str) -> list[str]:
    failed = opened.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    events = [one.event_log_entry.dagster_event for one in failed]
    return sentences_of([event for event in events if event])


def _instant(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
