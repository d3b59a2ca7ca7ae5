"""What a Dagster instance knows of daemon, schedule and runs, wherever it keeps them. It is asked, and told nothing."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType

from assets.orchestration.names import Names
from pipelines.execution import sentences_of
from pipelines.jobs import NIGHTLY
from pipelines.schedule import SCHEDULE, UNDER_WAY

T = TypeVar("T")

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
class Schedule:
    """The schedule's state and last tick. A daemon that never ran knows no state."""

    state: str | None = None
    tick: tuple[str, datetime] | None = None


@dataclass(frozen=True)
class Unread:
    """In an answer's place: what Dagster said where it has rows that it does not know, or lacks a table."""

    said: str


@dataclass(frozen=True)
class Told:
    """What the instance says, each answer on its own; instants are UTC, texts are Dagster's words.

    `last_night` is the latest ended run for a day that is over: a provisional snapshot is no night. `why` are the
    sentences with which it failed.
    """

    heartbeat: datetime | Unread | None
    schedule: Schedule | Unread
    last_night: Run | Unread | None
    why: tuple[str, ...]
    under_way: tuple[Run, ...] | Unread


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
    """The instance's answers; the log of the run with this id is brought before it is read.

    Raises:
        SQLAlchemyError: its database is damaged, or cannot be reached.
    """
    last_night = _asked(lambda: question.last_night(_nights(opened, question)))
    if isinstance(last_night, Run):
        bring_log(last_night.id)
    return Told(
        heartbeat=_asked(lambda: _heartbeat(opened)),
        schedule=_asked(lambda: _schedule(opened, question.schedule)),
        last_night=last_night,
        why=tuple(_sentences(opened, last_night.id)) if isinstance(last_night, Run) else (),
        under_way=_asked(lambda: tuple(map(_run, opened.get_run_records(dg.RunsFilter(statuses=UNDER_WAY))))),
    )


def _asked(ask: Callable[[], T]) -> T | Unread:
    """An answer, or that this version of Dagster cannot give it; the other answers do not depend on it."""
    from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

    try:
        return ask()
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error)
        # PEP 249 calls a missing table a ProgrammingError; SQLite calls it as it does a broken disk.
        if not isinstance(error, ProgrammingError) and "no such table" not in said:
            raise
    except Exception as error:  # whatever the library makes of a row that another version wrote
        said = str(error) or type(error).__name__
    return Unread(said.splitlines()[0])


def _heartbeat(opened: dg.DagsterInstance) -> datetime | None:
    beat = opened.get_daemon_heartbeats().get("SCHEDULER")
    return _instant(beat.timestamp) if beat else None


def _schedule(opened: dg.DagsterInstance, name: str) -> Schedule:
    """The state and the last tick of the schedule; of several code locations, of the one that ticked last."""
    found: list[Schedule] = []
    for state in opened.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        if state.instigator_name == name:
            ticks = opened.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
            tick = (ticks[0].status.value, _instant(ticks[0].timestamp)) if ticks else None
            found.append(Schedule(state.status.value, tick))
    return max(found, key=lambda one: one.tick[1].timestamp() if one.tick else 0.0, default=Schedule())


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
    """Why a run failed; nothing where its log is damaged, which costs no other run anything."""
    try:
        failed = opened.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    except Exception:  # whatever the libraries make of garbage
        return []
    events = [one.event_log_entry.dagster_event for one in failed]
    return sentences_of([event for event in events if event])


def _instant(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
