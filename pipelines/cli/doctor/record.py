"""The record: is yesterday's closing snapshot there, which days are missing, and which of them a backfill can fill."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from assets.days import DUE, end_of, yesterday
from assets.errors import LicenseHistoryError
from assets.layout import DataDirectory, snapshot_file
from assets.snapshots.past.plan import Action, DayPlan, Prove, Wish, plan
from assets.snapshots.snapshot import SnapshotFacts, organizations_known, read_facts, snapshot_days
from assets.spans import days_between, ranges
from pipelines.cli.doctor.findings import Finding, note, ok, stale, trouble
from pipelines.cli.doctor.organizations import Reached
from pipelines.cli.snapshot import summary

GAP_DAYS = 366


@dataclass(frozen=True)
class _History:
    """What is there of one organization; `newest` is its last snapshot, `closing` the last of a day that was over."""

    name: str
    days: set[date]
    newest: SnapshotFacts
    closing: SnapshotFacts | None


def examine_record(data: DataDirectory, organizations: Reached, now: datetime) -> Iterator[Finding]:
    """Each organization's history: of those that the keys belong to, and of those that nobody watches any more."""
    on_disk = {known: days for known in organizations_known(data) if (days := set(snapshot_days(data, known)))}
    for organization_id, days in on_disk.items():
        try:
            history = _read(data, organization_id, days, now)
            if history is None:
                yield note("last snapshot", f"none of {organization_id} can be read: see the files.")
            else:
                yield from _examine(data, organization_id, history, organizations, now)
        except Exception as error:
            yield trouble(organization_id, error)
    for organization_id, access in organizations.accesses.items():
        if organization_id not in on_disk:
            yield note("snapshots", f"no record yet of {access.title}: take its first snapshot with: licenses snapshot")
    if not on_disk and not organizations.accesses:
        yield note("snapshots", "no record yet: once a key works, take the first with: licenses snapshot")


def _read(data: DataDirectory, organization_id: str, days: set[date], now: datetime) -> _History | None:
    """The history as far as its last files can be read; what is damaged is told among the files."""
    newest = closing = None
    for day in sorted(days, reverse=True):
        with suppress(LicenseHistoryError):
            facts = read_facts(snapshot_file(data, day, organization_id))
            newest = newest or facts
            if facts and facts.is_final and day <= yesterday(now):
                closing = facts
                break
    if newest is None:
        return None
    return _History(newest.organization_name or organization_id, days, newest, closing)


def _examine(
    data: DataDirectory, organization_id: str, history: _History, organizations: Reached, now: datetime
) -> Iterator[Finding]:
    facts = history.newest
    yield (note if facts.unknown or facts.unmapped else ok)("last snapshot", " ".join(summary(facts).split()))
    if organization_id not in organizations.accesses:
        if organizations.everyone:
            last = max(history.days)
            yield note("not watched", f"none of the keys belongs to {facts.title}: its snapshots end with {last}.")
        return
    yield from _freshness(history, now)
    yield _gaps(data, organization_id, history, organizations.feeds.prove, now)


def _freshness(history: _History, now: datetime) -> Iterator[Finding]:
    """Nothing is stale before the first day, nor before the night has had its time."""
    due, takeable = yesterday(now - DUE), yesterday(now)
    if due < min(history.days) or (history.closing and history.closing.snapshot_date >= due):
        return
    if due in history.days:
        yield stale(
            "provisional",
            f"{history.name}: {due} is over, and its closing snapshot was not taken. {_remedy(due, takeable)}",
        )
    else:
        yield stale("stale", f"{history.name}: {due} was due and is not there. {_remedy(due, takeable)}")


def _remedy(due: date, takeable: date) -> str:
    if due != takeable:
        return f"It can no longer be observed; {takeable} can: licenses snapshot"
    return f"It can be taken until {end_of(takeable + timedelta(days=1)):%Y-%m-%d %H:%M} UTC: licenses snapshot"


def _gaps(data: DataDirectory, organization_id: str, history: _History, prove: Prove, now: datetime) -> Finding:
    """The missing days that can no longer be observed, by what a backfill would do with each: its own plan, dry."""
    last = yesterday(now) - timedelta(days=1)
    first = max(min(history.days), last - timedelta(days=GAP_DAYS - 1))
    missing = [day for day in days_between(first, last) if day not in history.days]
    if not missing:
        return ok("gaps", f"none in the last {GAP_DAYS} days of {history.name}.")
    plans = plan(data, [organization_id], missing, Wish(), now, prove)
    many = "1 day" if len(missing) == 1 else f"{len(missing)} days"
    which = ", ".join(ranges(missing))
    return note("gaps", f"{history.name}: {many} without a snapshot ({which}). {' '.join(_ways(plans))}")


def _ways(plans: list[DayPlan]) -> Iterator[str]:
    """What a backfill can do, with the command, and what nothing can do, with the reason."""
    fillable = [one.day for one in plans if one.action in (Action.REPLAY, Action.RECONSTRUCT)]
    for action, source in ((Action.REPLAY, "the landing"), (Action.RECONSTRUCT, "the Activity Feed")):
        if days := [one.day for one in plans if one.action is action]:
            yield f"From {source} can be filled: {', '.join(ranges(days))}."
    if fillable:
        yield f"Fill: licenses backfill --from {min(fillable)} --to {max(fillable)}"
    for why in dict.fromkeys(one.why for one in plans if one.action is Action.IMPOSSIBLE):
        days = [one.day for one in plans if one.action is Action.IMPOSSIBLE and one.why == why]
        yield f"Cannot be filled: {', '.join(ranges(days))}: {why.rstrip('.')}."
