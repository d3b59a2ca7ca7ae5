"""What Dagster's instance knows of daemon, schedule and runs, whichever way it was asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from assets.orchestration.names import Names
from pipelines.jobs import NIGHTLY
from pipelines.schedule import SCHEDULE
from pipelines.schedule import UNDER_WAY as STATUSES

UNDER_WAY = [status.value for status in STATUSES]
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
        return next((run for run in nights if run.status not in UNDER_WAY), None)

    def ours(self, runs: Iterable[Run]) -> tuple[Run, ...]:
        """Those that may be this pipeline's: others have their jobs in a shared instance, too."""
        return tuple(run for run in runs if run.job == ASSET_JOB or run.job.startswith(self.names.name("")))


class NothingThere(Exception):
    """Neither runs nor schedules are kept where they were looked for."""
