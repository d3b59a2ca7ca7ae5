"""Fetching one list whole: page by page into the landing, restarts included, or not at all.

What a key may not read comes back as an outcome that says so; anything else that goes wrong is raised.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from assets.errors import ListFailed
from assets.extraction.answers import Answer, NotAvailable, Rejected
from assets.extraction.api import (
    ANALYTICS_USAGE,
    ANALYTICS_USERS,
    OLDER_USAGE,
    WORKSPACES,
    WORKSPACES_LISTED,
    Endpoint,
)
from assets.extraction.deadline import Patience
from assets.extraction.kept import Calls, keep_outcome
from assets.extraction.landing import ListOutcome, PageWriter, State, pages_file, read_pages
from assets.extraction.organizations import Access
from assets.extraction.paging import Contradiction, CursorGone, Fetched, equal_repeats, fetched, walk
from assets.extraction.reach import Heard, Listener
from assets.extraction.records import read_page
from assets.extraction.tally import Tally
from assets.extraction.usage_calls import Span, days_a_page, latest_day_named, parameters, parts, span_to_ask
from assets.extraction.whose import Named, strangers, untold

log = logging.getLogger(__name__)

Get = Callable[..., Answer]
Bounds = Mapping[str, str]

MOST_RESTARTS = 3
NOBODY = "00000000-0000-4000-8000-000000000000"
"""An organization that there is not."""


@dataclass(frozen=True)
class Task:
    """What all lists of one observation share."""

    access: Access
    day: date
    observed_at: datetime
    folder: Path
    covered_to: Mapping[str, date] = field(default_factory=dict)
    """Per usage endpoint, the last day that its data had reached by earlier observations."""
    spoke_to: Mapping[str, date] = field(default_factory=dict)
    """Per usage endpoint, the last day with any use that earlier observations heard of."""
    patience: Patience = field(default_factory=Patience.of)
    in_time: Callable[[], None] = lambda: None
    """Raises once the day cannot be observed any more: a list that came too late tells of another day."""
    heard: Mapping[str, ListOutcome] = field(default_factory=dict)
    """The lists that earlier attempts at the day have heard whole, whose pages lie in `folder` already."""
    calls: Calls | None = None
    """Where answers to a report's single calls are kept until all of it has come."""
    holders: int = 0
    """How many members and API keys there are, as far as that is known: so many may have used something each day."""
    first_page_only: bool = False
    """Whether only to try what can be read: the first page of each list's first question."""
    halted: threading.Event = field(default_factory=threading.Event)

    @property
    def ours(self) -> str:
        return self.access.organization.id


class Halted(Exception):
    """Another list of the same observation has failed, so this one is not worth finishing."""


@dataclass(frozen=True)
class _Asking:
    """How a list is asked for; what a server refuses of it is left out and it is asked again."""

    bounds: Bounds
    span: Span | None
    wishing: bool


def fetch_list(task: Task, endpoint: Endpoint, bounds: Bounds | None = None) -> ListOutcome:
    """One list: as an earlier attempt heard it, else with the first of the organization's keys that may read it.

    `bounds` are further query parameters.

    Raises:
        ListFailed: it did not arrive whole.
        ImpossibleDay: or not in time.
        AccessRefused: 401.
    """
    outcome = task.heard.get(endpoint.name)
    if outcome is None:
        outcome = _ask(task, endpoint, bounds or {})
        task.in_time()
    if outcome.complete:
        keep_outcome(task.folder, endpoint.name, outcome)
    return outcome


def _ask(task: Task, endpoint: Endpoint, bounds: Bounds) -> ListOutcome:
    refusals = []
    for holder in task.access.keys:
        started = datetime.now(UTC)
        try:
            outcome = _fetch_whole(task, endpoint, holder.client.get, bounds)
        except NotAvailable as refusal:
            refusals.append(refusal)
            continue
        outcome.key, outcome.observed_at = holder.key_env, task.observed_at
        outcome.started_at, outcome.ended_at = started, datetime.now(UTC)
        log.info("%s: %s", endpoint.noun, _progress(outcome))
        if outcome.foreign:
            log.info("%s: %s left out: not of this organization", endpoint.noun, f"{outcome.foreign:,}")
        return outcome
    pages_file(task.folder, endpoint.name).unlink(missing_ok=True)
    log.info("%s: not available to this key", endpoint.noun)
    return ListOutcome(
        state=State.UNAVAILABLE,
        reason="; ".join(str(refusal) for refusal in refusals),
        # A 400 about days says that there is nothing of them, anywhere else that the list is not to be had.
        refused=any(refusal.status in (403, 404) or not endpoint.max_days for refusal in refusals),
    )


def _fetch_whole(task: Task, endpoint: Endpoint, get: Get, bounds: Bounds) -> ListOutcome:
    """The list from start to end; what moved under the walk starts it over, a few times."""
    span = span_to_ask(endpoint, task.day, _known_to(task, endpoint)) if endpoint.max_days else None
    asking = _Asking(bounds, span, endpoint.has_wishes)
    restarts, contradicted = 0, False
    while True:
        try:
            outcome = _fetch_once(task, endpoint, get, asking)
        except CursorGone as gone:
            restarts += 1
            if restarts > MOST_RESTARTS:
                raise ListFailed(
                    f"the list of {endpoint.noun} lost its place {restarts} times, because the object that a page's "
                    f"cursor names was deleted meanwhile ({gone}). Run again when fewer changes are under way."
                ) from None
        except Contradiction:
            if contradicted:
                raise
            restarts, contradicted = restarts + 1, True
        except Rejected as rejection:
            asking = _asking_left(endpoint, asking, rejection)
        else:
            outcome.restarts = restarts
            return outcome


def _known_to(task: Task, endpoint: Endpoint) -> date | None:
    """How far the endpoint's data had reached by earlier nights.

    One that has never spoken of anybody may have stood still all the time: it is asked anew from the start, unless it
    says itself how far it is.
    """
    if endpoint is ANALYTICS_USAGE or endpoint.name in task.spoke_to:
        return task.covered_to.get(endpoint.name)
    return None


def _asking_left(endpoint: Endpoint, asking: _Asking, rejection: Rejected) -> _Asking:
    """What is left to ask after a refusal: without the wishes, or fewer days.

    Raises:
        NotAvailable: a 400 to the barest question means that the organization has not got the endpoint.
        Rejected: anywhere else it is a mistake to be seen.
    """
    if rejection.status != 400:
        raise rejection
    if asking.wishing:
        return replace(asking, wishing=False)
    if endpoint in (WORKSPACES, WORKSPACES_LISTED):  # some types of organization have none
        raise NotAvailable(rejection.status, str(rejection), None)
    if asking.span is None or endpoint in OLDER_USAGE:
        raise rejection
    left = latest_day_named(rejection.message, asking.span) if endpoint is ANALYTICS_USERS else None
    if not left:
        raise NotAvailable(rejection.status, str(rejection), None)
    return replace(asking, span=left)


def _fetch_once(task: Task, endpoint: Endpoint, get: Get, asking: _Asking) -> ListOutcome:
    path = pages_file(task.folder, endpoint.name)
    outcome = ListOutcome(state=State.COMPLETE, wished=asking.wishing)
    listener = Listener(endpoint, task.ours, task.observed_at, task.spoke_to.get(endpoint.name))
    tally = Tally()
    path.unlink(missing_ok=True)  # it may be another name of an earlier attempt's pages, which stay as they are
    with PageWriter(path) as pages:
        for question, part in _questions(task, endpoint, asking):
            heard = Heard(part) if part else None
            try:
                for page in _pages(task, endpoint, asking, question, part, get, tally, pages):
                    if heard:
                        heard.listen(endpoint, page, task.ours)
                    tally.count(endpoint, outcome, page)
                    if task.first_page_only:
                        break
                    _go_on(task, endpoint, outcome)
            except Rejected as rejection:
                if not (part and _is_too_recent(endpoint, part, rejection) and listener.heard):
                    raise
                listener.named_to = listener.heard[-1].span.last
                asking = replace(asking, span=Span(listener.heard[0].span.first, listener.named_to))
                break
            if heard:
                listener.heard.append(heard)
            if task.first_page_only:
                break
    if asking.span:
        outcome.covers_from, outcome.covers_to = asking.span.first, asking.span.last
        outcome.reached, outcome.refreshed_at = listener.reached, listener.refreshed_at
        outcome.calls = [heard.call for heard in listener.heard]
    tally.require_few_odd(endpoint, outcome)
    if asking.wishing and endpoint.whose:
        outcome.own_ids = ids_by_filter(endpoint, tally.named, task.ours, get, task.patience)
    ours = {task.ours, *outcome.own_ids}
    not_ours = strangers(endpoint, tally.named, ours, asked_for_ours=asking.wishing)
    outcome.foreign = sum(tally.named[named] for named in not_ours)
    if tally.suspects:
        outcome.repeated = equal_repeats(endpoint, read_pages(path), tally.suspects)
        outcome.rows -= outcome.repeated
    return outcome


def _pages(
    task: Task,
    endpoint: Endpoint,
    asking: _Asking,
    question: Mapping[str, Any],
    part: Span | None,
    get: Get,
    tally: Tally,
    pages: PageWriter,
) -> Iterator[Fetched]:
    """The pages that answer one question, written to `pages`; a call that an earlier attempt has heard whole is not
    asked again."""
    if part is None or task.calls is None:
        for page in _walk(task, endpoint, question, get, tally):
            pages.write(page.answer.body)
            yield page
        return
    asked = "wished" if asking.wishing else "plain"
    kept = task.calls.recall(endpoint, part, asked)
    if kept is not None:
        for body in read_pages(kept):
            yield fetched(Answer(body, None), read_page(endpoint, body))
        pages.add(kept)
        return
    with task.calls.keeping(endpoint, part, asked, pages) as place:
        for page in _walk(task, endpoint, question, get, tally):
            place.write(page.answer.body)
            yield page


def _walk(task: Task, endpoint: Endpoint, question: Mapping[str, Any], get: Get, tally: Tally) -> Iterator[Fetched]:
    def fetch(cursor: dict[str, str]) -> Answer:
        return get(endpoint.path, {**question, **cursor}, endpoint.headers, deadline=task.patience.question())

    try:
        for page in walk(endpoint, fetch):
            tally.answered += 1
            yield page
    except NotAvailable as refusal:
        if not tally.answered:
            raise
        raise ListFailed(f"the list of {endpoint.noun} broke off after {tally.answered} pages: {refusal}") from None


def _go_on(task: Task, endpoint: Endpoint, outcome: ListOutcome) -> None:
    """Say now and then how far it is; stop where the list is no longer worth finishing."""
    if task.halted.is_set():
        raise Halted
    if outcome.pages % 20 == 0:
        log.info("%s: %s so far", endpoint.noun, f"{outcome.rows:,}")


def _is_too_recent(endpoint: Endpoint, day: Span, rejection: Rejected) -> bool:
    """Whether the answer to a question for one day is that there is nothing so late yet."""
    named = latest_day_named(rejection.message, day)
    return endpoint is ANALYTICS_USERS and rejection.status == 400 and named is not None


def ids_by_filter(endpoint: Endpoint, named: Collection[Named], ours: str, get: Get, patience: Patience) -> list[str]:
    """The one id by which an answer to a question for `ours` calls it, if it names no id that can be compared.

    A server may accept the filter and pass over it: so it is asked for an organization that there is not.
    """
    others = untold(named, {ours})
    if len(others) != 1:
        return []
    nobody = {**endpoint.params, endpoint.whose: NOBODY, "limit": 1}

    def fetch(cursor: dict[str, str]) -> Answer:
        return get(endpoint.path, {**nobody, **cursor}, endpoint.headers, deadline=patience.question())

    try:
        pages = walk(endpoint, fetch)
        holds = not any(page.items for page in pages)
    except NotAvailable:
        holds = False
    except Rejected as rejection:
        holds = rejection.status == 400  # it looks at the value
    return sorted(others) if holds else []


def _questions(task: Task, endpoint: Endpoint, asking: _Asking) -> Iterator[tuple[dict[str, Any], Span | None]]:
    """The query parameters of each walk through the list; for a usage endpoint, with the days that it is about."""
    asked = endpoint.asked(task.ours, wishing=asking.wishing)
    if asking.span is None:
        yield {**asked, **asking.bounds}, None
        return
    if not asking.span:
        raise NotAvailable(400, f"it has nothing about days up to {task.day}", None)
    if asking.wishing:
        asked |= days_a_page(endpoint, task.holders)
    for part in parts(endpoint, asking.span):
        yield {**asked, **parameters(endpoint, part)}, part


def _progress(outcome: ListOutcome) -> str:
    pages = "1 page" if outcome.pages == 1 else f"{outcome.pages:,} pages"
    return f"{outcome.rows:,} in {pages}"
