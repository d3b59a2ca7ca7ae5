"""Fetching one list whole: page by page into the landing, restarts included, or not at all.

What a key may not read comes back as an outcome that says so; anything else that goes wrong is raised.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from assets.errors import ListFailed
from assets.extraction.api import ANALYTICS_USERS, OLDER_USAGE, Endpoint
from assets.extraction.client import Answer, NotAvailable, Rejected
from assets.extraction.deadline import list_deadline
from assets.extraction.landing import ListOutcome, PageWriter, State, pages_file, read_pages
from assets.extraction.organizations import Access
from assets.extraction.paging import CursorGone, Fetched, equal_repeats, walk
from assets.extraction.usage_calls import Span, calls, latest_day_named, span_to_ask

log = logging.getLogger(__name__)

Get = Callable[..., Answer]
Bounds = Mapping[str, str]

MOST_RESTARTS = 3


@dataclass(frozen=True)
class Task:
    """What all lists of one observation share."""

    access: Access
    day: date
    folder: Path
    covered_to: Mapping[str, date]
    """Per usage endpoint, the last day that earlier observations covered."""
    halted: threading.Event


class Halted(Exception):
    """Another list of the same observation has failed, so this one is not worth finishing."""


def fetch_list(task: Task, endpoint: Endpoint, bounds: Bounds | None = None) -> ListOutcome:
    """One list, with the first of the organization's keys that may read it; `bounds` are further query parameters.

    Raises:
        ListFailed: it did not arrive whole.
        AccessRefused: 401.
    """
    refusals = []
    for holder in task.access.keys:
        started = datetime.now(UTC)
        try:
            outcome = _fetch_whole(task, endpoint, holder.client.get, bounds or {})
        except NotAvailable as refusal:
            refusals.append(str(refusal))
            continue
        outcome.key, outcome.started_at, outcome.ended_at = holder.key_env, started, datetime.now(UTC)
        log.info("%s: %s", endpoint.noun, _progress(outcome))
        return outcome
    pages_file(task.folder, endpoint.name).unlink(missing_ok=True)
    log.info("%s: not available to this key", endpoint.noun)
    return ListOutcome(state=State.UNAVAILABLE, reason="; ".join(refusals))


def _fetch_whole(task: Task, endpoint: Endpoint, get: Get, bounds: Bounds) -> ListOutcome:
    """The list from start to end; a cursor that goes missing on the way starts it over, a few times."""
    span = span_to_ask(endpoint, task.day, task.covered_to.get(endpoint.name)) if endpoint.max_days else None
    deadline, restarts = list_deadline(), 0
    while True:
        try:
            return _fetch_once(task, endpoint, get, bounds if span is None else span, restarts, deadline)
        except CursorGone as gone:
            restarts += 1
            if restarts > MOST_RESTARTS:
                raise ListFailed(
                    f"the list of {endpoint.noun} lost its place {restarts} times, because the object that a page's "
                    f"cursor names was deleted meanwhile ({gone}). Run again when fewer changes are under way."
                ) from None
        except Rejected as rejection:
            span = _span_left(endpoint, span, rejection)


def _span_left(endpoint: Endpoint, span: Span | None, rejection: Rejected) -> Span:
    """What a usage endpoint can answer after it refused the whole span (admin-api facts, usage).

    Raises:
        NotAvailable: a 400 there means that the organization has not got the endpoint.
        Rejected: anywhere else it is a mistake to be seen.
    """
    if span is None or endpoint in OLDER_USAGE or rejection.status != 400:
        raise rejection
    left = latest_day_named(rejection.message, span) if endpoint is ANALYTICS_USERS else None
    if not left:
        raise NotAvailable(rejection.status, str(rejection), None)
    return left


def _fetch_once(
    task: Task, endpoint: Endpoint, get: Get, asked: Span | Bounds, restarts: int, deadline: float
) -> ListOutcome:
    path = pages_file(task.folder, endpoint.name)
    outcome = ListOutcome(state=State.COMPLETE, restarts=restarts)
    if isinstance(asked, Span):
        if not asked:
            raise NotAvailable(400, f"it has nothing about days up to {task.day}", None)
        outcome.covers_from, outcome.covers_to = asked.first, asked.last
    seen: set[int] = set()
    suspects: set[str] = set()
    with PageWriter(path) as pages:
        for call in calls(endpoint, asked) if isinstance(asked, Span) else [asked]:
            question = {**endpoint.params, **call}
            for page in _walk(
                endpoint,
                outcome,
                lambda cursor, question=question: get(  # type: ignore[misc]
                    endpoint.path, {**question, **cursor}, endpoint.headers, deadline=deadline
                ),
            ):
                pages.write(page.answer.body)
                _count(outcome, page, seen, suspects)
                if task.halted.is_set():
                    raise Halted
                if outcome.pages % 20 == 0:
                    log.info("%s: %s so far", endpoint.noun, f"{outcome.rows:,}")
    if suspects:
        outcome.repeated = equal_repeats(endpoint, read_pages(path), suspects)
        outcome.rows -= outcome.repeated
    return outcome


def _walk(endpoint: Endpoint, outcome: ListOutcome, fetch: Callable[[dict[str, str]], Answer]) -> Iterator[Fetched]:
    try:
        yield from walk(endpoint, fetch)
    except NotAvailable as refusal:
        if not outcome.pages:
            raise
        raise ListFailed(f"the list of {endpoint.noun} broke off after {outcome.pages} pages: {refusal}") from None


def _count(outcome: ListOutcome, page: Fetched, seen: set[int], suspects: set[str]) -> None:
    outcome.pages += 1
    outcome.longest_page = max(outcome.longest_page, len(page.answer.body))
    outcome.rows += len(page.items)
    if page.answer.request_id:
        outcome.request_ids.append(page.answer.request_id)
    if not page.items or not hasattr(page.items[0], "id"):
        return
    outcome.first_id = outcome.first_id or page.items[0].id
    outcome.last_id = page.items[-1].id
    for item in page.items:
        # Hashes, not ids: a million members fit in memory; whatever looks seen is compared in full afterwards.
        mark = hash(item.id)
        if mark in seen:
            suspects.add(item.id)
        seen.add(mark)


def _progress(outcome: ListOutcome) -> str:
    pages = "1 page" if outcome.pages == 1 else f"{outcome.pages:,} pages"
    return f"{outcome.rows:,} in {pages}"
