"""The Activity Feed: what changed and when, fetched once for a span and kept in the landing like any page.

Coverage is proved, not assumed: a day's end is covered only where the feed holds an activity from before it. A feed
that was switched on later has nothing to say about the days before, and its silence there means nothing.
"""

import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec

from assets.days import end_of
from assets.errors import ListFailed
from assets.extraction.api import ACTIVITIES
from assets.extraction.client import Client, NotAvailable
from assets.extraction.deadline import list_deadline
from assets.extraction.landing import FEED, Manifest, Observation, new_folder, write_manifest
from assets.extraction.lists import Task, fetch_list
from assets.extraction.organizations import Access
from assets.layout import DataDirectory


@dataclass(frozen=True)
class Feed:
    """Activities up to `until`, all of them from the end of the day `proves_from` on."""

    observation: Observation
    proves_from: date
    until: datetime

    @property
    def pages(self) -> Path:
        return self.observation.pages(ACTIVITIES.name)


def reader(access: Access) -> Client:
    """The first of the organization's keys that may read the feed.

    Raises:
        NotAvailable: none may, or the Compliance API is switched off.
    """
    refusal: NotAvailable | None = None
    for holder in access.keys:
        try:
            _oldest_before(holder.client, end_of(date.today()))
        except NotAvailable as error:
            refusal = error
            continue
        return holder.client
    raise refusal or NotAvailable(404, "no key", None)


def first_day_proved(client: Client, days: Sequence[date]) -> date | None:
    """The first of `days` (ascending) whose end lies after an activity, None where none does."""
    place = bisect_left(days, True, key=lambda day: _oldest_before(client, end_of(day)))
    return days[place] if place < len(days) else None


def fetch_feed(
    access: Access,
    proves_from: date,
    until: datetime,
    *,
    data: DataDirectory,
    observed_at: datetime,
    run_id: str,
) -> Feed:
    """Fetch what changed up to `until` into the landing: enough to roll back to the end of `proves_from`.

    The feed is read from its beginning: when somebody who has left was added may lie long before the span, and must
    not depend on which span was asked for.

    Raises:
        ListFailed: the feed did not arrive whole, or is not available to the organization's keys.
    """
    folder = new_folder(data.root / "landing" / access.organization.id / FEED, observed_at)
    manifest = Manifest(
        organization_id=access.organization.id,
        organization_name=access.organization.name,
        day=proves_from,
        observation=folder.name,
        observed_at=observed_at,
        run_id=run_id,
        complete=False,
    )
    bounds = {"created_at.lte": _instant(until)}
    task = Task(access, proves_from, folder, {}, threading.Event())
    outcome = fetch_list(task, ACTIVITIES, bounds)
    if not outcome.complete:
        raise ListFailed(f"the Activity Feed is not available to this key: {outcome.reason}")
    manifest.lists, manifest.complete = {ACTIVITIES.name: outcome}, True
    write_manifest(folder, manifest)
    return Feed(Observation(folder, manifest), proves_from, until)


def feed_of_last_night(observation: Observation) -> Feed | None:
    """What changed since the close of the day before, as a nightly observation heard it; None where it could not."""
    manifest = observation.manifest
    if not manifest.has(ACTIVITIES.name):
        return None
    return Feed(observation, manifest.day - timedelta(days=1), manifest.observed_at)


class _Anything(msgspec.Struct):
    data: list[msgspec.Raw]


def _oldest_before(client: Client, instant: datetime) -> bool:
    """Whether the feed holds any activity, of whatever type, from before `instant`."""
    parameters = {"limit": 1, "created_at.lt": _instant(instant)}
    answer = client.get(ACTIVITIES.path, parameters, {}, deadline=list_deadline())
    try:
        return bool(msgspec.json.decode(answer.body, type=_Anything).data)
    except msgspec.MsgspecError as error:
        raise ListFailed(f"the Activity Feed has an unexpected shape: {error}. Nothing was taken for data.") from None


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
