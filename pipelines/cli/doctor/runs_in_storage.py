"""Daemon, schedule and runs as an instance tells them that keeps them in a database: PostgreSQL, or any other."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType

from pipelines.cli.doctor.runs import Question, Run, Told
from pipelines.execution import sentences_of
from pipelines.schedule import UNDER_WAY

_PAGE = 50
_DAY = "dagster/partition"


def told_by_instance(opened: dg.DagsterInstance, question: Question) -> Told:
    """The answers of an instance; nothing is written."""
    heartbeat = opened.get_daemon_heartbeats().get("SCHEDULER")
    state, tick = _schedule(opened, question.schedule)
    last_night = question.last_night(_nights(opened, question))
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
