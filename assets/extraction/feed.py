"""The Activity Feed: what changed and when, fetched once for a span and kept in the landing like any page.

Coverage is proved, not assumed: a day's end is covered only where the feed holds an activity from before it. A feed
that was switched on later has nothing to say about the days before, and its silence there means nothing. The feed is
the parent organization's: what a linked sibling did proves nothing for us.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from assets.days import end_of
from assets.errors import ListFailed
from assets.extraction.answers import Answer, NotAvailable, Rejected
from assets.extraction.api import ACTIVITIES, Id, Instant, Shape
from assets.extraction.client import Client
from assets.extraction.deadline import Patience
from assets.extraction.kept import drop_outcomes
from assets.extraction.landing import FEED, Manifest, Observation, new_folder, write_manifest
from assets.extraction.lists import Task, fetch_list, ids_by_filter
from assets.extraction.organizations import Access
from assets.extraction.paging import CursorGone, Fetched, walk
from assets.extraction.whose import Named, named_by, strangers, untold
from assets.layout import DataDirectory


@dataclass(frozen=True)
class Feed:
    """Activities up to some instant, all of them from the end of the day `proves_from` on."""

    observation: Observation
    proves_from: date


def reader(access: Access, patience: Patience | None = None) -> Client:
    """The first of the organization's keys that may read the feed.

    Raises:
        NotAvailable: none may, or the Compliance API is switched off.
    """
    refusal: NotAvailable | None = None
    for holder in access.keys:
        try:
            _Questions(holder.client, access.organization.id, patience).ask({"limit": 1})
        except NotAvailable as error:
            refusal = error
            continue
        return holder.client
    raise refusal or NotAvailable(404, "no key", None)


def first_day_proved(
    client: Client, organization_id: str, days: Sequence[date], patience: Patience | None = None
) -> date | None:
    """The first of `days` (ascending) whose end lies after an activity of the organization, None where none does."""
    questions = _Questions(client, organization_id, patience)
    place = bisect_left(days, True, key=lambda day: questions.any_before(end_of(day)))
    return days[place] if place < len(days) else None


class Rhythm(NamedTuple):
    """Up to when the feed has told anything, and for how long it was silent between any two of its latest entries."""

    newest: datetime
    longest_silence: timedelta


def rhythm(client: Client, patience: Patience | None = None) -> Rhythm | None:
    """How the feed goes on, None where it is empty.

    Whoever its entries are about, and of whatever type: a feed goes on, or stands still, for all of a parent's
    organizations.
    """
    ends = patience or Patience.of()

    def fetch(cursor: dict[str, str]) -> Answer:
        question = {"limit": _LATEST, **cursor}
        return client.get(_ENTRIES.path, question, _ENTRIES.headers, deadline=ends.question())

    for page in _walk_entries(fetch):
        if told := sorted(entry.created_at for entry in page.items):
            return Rhythm(told[-1], max((later - earlier for earlier, later in pairwise(told)), default=timedelta()))
    return None


def fetch_feed(
    access: Access,
    proves_from: date,
    until: datetime,
    *,
    data: DataDirectory,
    observed_at: datetime,
    run_id: str,
    patience: Patience | None = None,
) -> Feed:
    """Fetch what changed up to `until` into the landing: enough to roll back to the end of `proves_from`.

    The feed is read from its beginning: when somebody who has left was added may lie long before the span, and must
    not depend on which span was asked for.

    Raises:
        ListFailed: the feed did not arrive whole, or is not available to the organization's keys.
    """
    folder = new_folder(data.landings / access.organization.id / FEED, observed_at)
    manifest = Manifest(
        organization_id=access.organization.id,
        organization_name=access.organization.name,
        day=proves_from,
        observation=folder.name,
        observed_at=observed_at,
        run_id=run_id,
        complete=False,
        keys=[holder.key_env for holder in access.keys],
    )
    bounds = {"created_at.lte": _instant(until)}
    task = Task(access, proves_from, observed_at, folder, patience=patience or Patience.of())
    outcome = fetch_list(task, ACTIVITIES, bounds)
    if not outcome.complete:
        raise ListFailed(f"the Activity Feed is not available to this key: {outcome.reason}")
    manifest.lists, manifest.complete = {ACTIVITIES.name: outcome}, True
    write_manifest(folder, manifest)
    drop_outcomes(folder)
    return Feed(Observation(folder, manifest), proves_from)


def feed_of_last_night(observation: Observation) -> Feed | None:
    """What changed since the close of the day before, as a nightly observation heard it; None where it could not."""
    manifest = observation.manifest
    if not manifest.has(ACTIVITIES.name):
        return None
    return Feed(observation, manifest.day - timedelta(days=1))


class _Entry(Shape):
    """An activity of whatever type, in a shape of its own: whose it is."""

    id: Id
    created_at: Instant
    organization_id: str | None = None
    organization_uuid: str | None = None


_ENTRIES = replace(ACTIVITIES, item=_Entry, params={})
_FIRST_LOOK, _LATEST = 100, 1000
_FURTHER_PAGES = {"limit": ACTIVITIES.params["limit"]}


class _Questions:
    """One key's questions to the feed about one organization, with its filter as long as the server takes it."""

    def __init__(self, client: Client, organization_id: str, patience: Patience | None) -> None:
        self._client, self._organization_id = client, organization_id
        self._patience = patience or Patience.of()
        self._filtered = True
        self._ours = {organization_id}
        self._compared: set[str] = set()
        """Ids that could not be compared with ours, for which the filter has been tried."""

    def ask(self, parameters: dict[str, Any]) -> Answer:
        """One page.

        Raises:
            NotAvailable: the key may not read the feed, or it is switched off.
        """
        question = {**_ENTRIES.asked(self._organization_id, wishing=self._filtered), **parameters}
        try:
            return self._client.get(_ENTRIES.path, question, _ENTRIES.headers, deadline=self._patience.question())
        except Rejected as rejection:
            if rejection.status != 400 or not self._filtered:
                raise
            self._filtered = False
            return self.ask(parameters)

    def any_before(self, instant: datetime) -> bool:
        """Whether the feed holds any activity of the organization, of whatever type, from before `instant`."""
        first = {"limit": _FIRST_LOOK, "created_at.lt": _instant(instant)}
        named: set[Named] = set()
        # A few entries are enough where the filter holds; else siblings' may come first, in thousands.
        for page in _walk_entries(lambda cursor: self.ask({**first, **(cursor and _FURTHER_PAGES), **cursor})):
            named.update(named_by(_ENTRIES, page.items))
            self._learn(named)
            if named - self._strangers({*named, _NOBODYS}):
                return True
        return bool(named - self._strangers(named))

    def _learn(self, named: set[Named]) -> None:
        """Try once, for ids that cannot be compared with ours, whether the filter tells that they are."""
        others = untold(named, self._ours)
        if self._filtered and others - self._compared:
            self._compared |= others
            self._ours.update(ids_by_filter(_ENTRIES, named, self._organization_id, self._client.get, self._patience))

    def _strangers(self, named: set[Named]) -> set[Named]:
        return strangers(_ENTRIES, named, self._ours, asked_for_ours=self._filtered)


_NOBODYS = Named("another")
"""While the feed goes on, whether it names organizations at all is not yet known: then an entry without one proves
nothing."""


def _walk_entries(fetch: Callable[[dict[str, str]], Answer]) -> Iterator[Fetched]:
    try:
        yield from walk(_ENTRIES, fetch)
    except CursorGone as gone:
        raise ListFailed(f"the Activity Feed lost its place ({gone}). Run again.") from None


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
