"""Is the nightly schedule alive, how did the last night end, and is a run dead: what Dagster's instance says.

Where it keeps that in SQLite files, as our own home does, a copy of it is asked, so that nothing there is touched.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from assets.days import yesterday
from assets.errors import LicenseHistoryError
from pipelines.cli.doctor.findings import Finding, note, ok, problem, stale
from pipelines.cli.doctor.instance_copy import NothingThere, copied, damaged_file
from pipelines.cli.doctor.runs import Question, Run, Schedule, Told, Unread, told
from pipelines.installation.instance import VARIABLE, Home, dagster_home, instance, settings_failed, storage_failed
from pipelines.settings import Settings, Switch

if TYPE_CHECKING:
    from assets.layout import DataDirectory

SILENT_AFTER = timedelta(minutes=5)
"""The daemon gives a sign of life every half minute."""

_STORAGES = {"storage", "run_storage", "event_log_storage", "schedule_storage", "instance_class"}
"""What of a `dagster.yaml` moves runs and schedules out of the home's SQLite files."""


@dataclass(frozen=True)
class _Words:
    """What is said differently of our own home and of somebody's instance."""

    start: str
    ui: str

    @classmethod
    def of(cls, home: Home) -> "_Words":
        if home.ours:
            return cls("Start it with: licenses ui (or make ui), and keep it running.", "Dagster's UI (licenses ui)")
        return cls(f"Start the daemon of {VARIABLE}'s instance: dagster-daemon run (docs/dagster.md).", "Dagster's UI")


def examine_schedule(settings: Settings, wall: datetime) -> Iterator[Finding]:
    """The daemon, the schedule, how the last night ended, and what is under way or dead.

    `wall` is the machine's clock, not the pipeline's: heartbeats know no other.
    """
    try:
        home = dagster_home(settings.data)
    except LicenseHistoryError as error:
        yield problem("Dagster", str(error))
        return
    words = _Words.of(home)
    if not home.place.exists():
        yield note("daemon", f"nothing has been scheduled from here yet. {words.start}")
        return
    if not home.ours:
        yield ok("instance", f"{VARIABLE} names {home.place}: runs and days are kept there.")
    try:
        yield from _examine(home, settings, wall, words)
    except NothingThere:
        yield note(
            "daemon", f"in {home.place} nothing stands of runs and schedules yet; if its storage was moved, look there."
        )
    except LicenseHistoryError as error:
        yield problem("Dagster", str(error))


def _examine(home: Home, settings: Settings, wall: datetime, words: _Words) -> Iterator[Finding]:
    question = Question(settings.names, yesterday(settings.now).isoformat())
    found = _told(home, settings.data, question)
    yield _daemon(found.heartbeat, wall, words)
    if settings.licenses_automation is Switch.ON:
        yield ok("schedule", f"automation conditions begin the nights, not {question.schedule} (LICENSES_AUTOMATION).")
    else:
        yield from _schedule(found.schedule, found.heartbeat, question, words)
        yield from _last_night(found, words)
    if isinstance(found.under_way, Unread):
        yield _unread("runs under way", found.under_way)
    else:
        under_way = found.under_way if home.ours else question.ours(found.under_way)
        yield from (_under_way(run, settings.data.dagster_home, words) for run in under_way)


def _told(home: Home, data: "DataDirectory", question: Question) -> Told:
    """What the instance says.

    Raises:
        NothingThere: nothing was kept there yet.
        LicenseHistoryError: it cannot be opened, so no run begins.
    """
    if not _keeps_files(home):
        with instance(data) as opened:
            return told(opened, question, lambda _: None)
    from sqlalchemy.exc import SQLAlchemyError

    try:
        if damaged := damaged_file(home.place):
            raise storage_failed(data, OSError(damaged))
        with copied(home.place) as copy:
            return told(copy.opened, question, copy.bring_log)
    except (OSError, SQLAlchemyError) as error:
        raise storage_failed(data, error) from error


def _keeps_files(home: Home) -> bool:
    """Whether what Dagster keeps lies in the home's own files, as its `dagster.yaml` says, which people may edit."""
    from dagster._core.instance.config import dagster_instance_config

    try:
        settings, _ = dagster_instance_config(str(home.place))
    except Exception as error:  # whatever the library makes of it
        raise settings_failed(home, error) from error
    return not _STORAGES & settings.keys()


def _unread(subject: str, unread: Unread) -> Finding:
    return note(subject, f"cannot be read by this version of Dagster ({unread.said[:120]}).")


def _daemon(heartbeat: datetime | Unread | None, now: datetime, words: _Words) -> Finding:
    if isinstance(heartbeat, Unread):
        return _unread("daemon", heartbeat)
    if heartbeat is None:
        return note("daemon", f"has never run here, so snapshots are taken on demand only. {words.start}")
    said = f"last sign of life {heartbeat:%Y-%m-%d %H:%M} UTC"
    if now - heartbeat > SILENT_AFTER:
        return note("daemon", f"is not running ({said}): nothing is taken at night. {words.start}")
    return ok("daemon", f"is running ({said}).")


def _schedule(
    known: Schedule | Unread, heartbeat: datetime | Unread | None, question: Question, words: _Words
) -> Iterator[Finding]:
    if isinstance(known, Unread):
        yield _unread("schedule", known)
        return
    tick = f" Its last tick: {known.tick[1]:%Y-%m-%d %H:%M} UTC, {known.tick[0].lower()}." if known.tick else ""
    schedule, switch_it_on = question.schedule, f"switch it on in {words.ui}, Automation"
    if known.state is None:
        if isinstance(heartbeat, datetime):
            yield note("schedule", f"{schedule} was never switched on: {switch_it_on}.")
    elif known.state == "STOPPED":
        yield note("schedule", f"{schedule} is switched off: {switch_it_on}.{tick}")
    elif known.tick and known.tick[0] == "FAILURE":
        yield note("schedule", f"{schedule} is on, but failed.{tick} {words.ui} shows why.")
    else:
        yield ok(
            "schedule", f"{schedule} is on: from 02:00 UTC on until the day is taken, while the daemon runs.{tick}"
        )


def _last_night(told: Told, words: _Words) -> Iterator[Finding]:
    run = told.last_night
    if isinstance(run, Unread):
        yield _unread("last nightly run", run)
    if not isinstance(run, Run):
        return
    what = f"for {run.day}, {run.at:%Y-%m-%d %H:%M} UTC: {run.status.lower()}"
    if run.status == "SUCCESS":
        yield ok("last nightly run", f"{what}.")
        return
    why = " ".join(told.why) or f"{words.ui} has its log."
    yield stale("last nightly run", f"{what} (run {run.id}). {why} It is tried again by: licenses snapshot")


def _under_way(run: Run, locks_in: Path, words: _Words) -> Finding:
    for_day = f" for {run.day}" if run.day else ""
    since = f"{run.id} ({run.job}{for_day}), {run.status.lower().replace('_', ' ')} since {run.at:%Y-%m-%d %H:%M} UTC"
    match _is_dead(locks_in / "running" / f"{run.id}.lock"):
        case True:
            return note("dead run", f"{since}, but its process is gone: whatever runs next ends it.")
        case False:
            return note("run under way", f"{since}.")
    return note(
        "run under way",
        f"{since}: it waits, is at work, or was killed; one that was killed is ended by whatever runs next, or in "
        f"{words.ui}.",
    )


def _is_dead(lock: Path) -> bool | None:
    """Whether the lock that a run holds while it works is free; None where there is none to ask."""
    try:
        import fcntl

        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, ImportError):
        return None
    except BlockingIOError:
        return False
    return True
