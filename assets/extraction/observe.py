"""Observing one organization: every list whole, side by side, into one folder of the landing; or failing whole.

What a key may not read is recorded as not available and is unknown downstream, never empty. Knows no Dagster.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from assets.errors import AccessRefused, LicenseHistoryError, ListFailed
from assets.extraction.api import (
    ANALYTICS_USAGE,
    ANALYTICS_USERS,
    API_KEYS,
    OLDER_USAGE,
    ROSTERS,
    USERS,
    Endpoint,
)
from assets.extraction.client import Answer, NotAvailable, Rejected
from assets.extraction.deadline import list_deadline
from assets.extraction.landing import (
    ListOutcome,
    Manifest,
    Observation,
    PageWriter,
    State,
    new_observation,
    pages_file,
    read_pages,
    write_manifest,
)
from assets.extraction.organizations import Access, require_complementary
from assets.extraction.paging import CursorGone, Fetched, equal_repeats, walk
from assets.extraction.usage_calls import Span, calls, latest_day_named, span_to_ask
from assets.layout import DataDirectory

log = logging.getLogger(__name__)

Get = Callable[..., Answer]

MOST_RESTARTS = 3
SIDE_BY_SIDE = 8


@dataclass(frozen=True)
class Task:
    """What all lists of one observation share."""

    access: Access
    day: date
    folder: Path
    covered_to: Mapping[str, date]
    """Per usage endpoint, the last day that earlier observations covered."""
    halted: threading.Event


class _Halted(Exception):
    """Another list of the same observation has failed, so this one is not worth finishing."""


def observe(
    access: Access,
    day: date,
    *,
    data: DataDirectory,
    observed_at: datetime,
    run_id: str,
    covered_to: Mapping[str, date],
) -> Observation:
    """Fetch everything that explains one organization's licenses on `day` into a new landing folder.

    Raises:
        ListFailed: a list did not arrive whole; the folder keeps what came and a manifest that says so.
        AccessRefused: 401, or neither members nor API keys can be read.
        WrongUse: two keys can read the same list.
    """
    require_complementary(access)
    folder = new_observation(data, access.organization.id, day, observed_at)
    manifest = Manifest(
        organization_id=access.organization.id,
        organization_name=access.organization.name,
        day=day,
        observation=folder.name,
        observed_at=observed_at,
        run_id=run_id,
        complete=False,
    )
    try:
        manifest.lists = _fetch_all(Task(access, day, folder, covered_to, threading.Event()))
        _require_a_roster(manifest)
    except LicenseHistoryError as error:
        manifest.failure = str(error)
        write_manifest(folder, manifest)
        raise
    manifest.complete = True
    write_manifest(folder, manifest)
    return Observation(folder, manifest)


def _fetch_all(task: Task) -> dict[str, ListOutcome]:
    """Every list's outcome. The first failure halts the others and is the one that is raised."""
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="list") as pool:
        jobs: list[Future[dict[str, ListOutcome]]] = [
            pool.submit(lambda e: {e.name: _fetch(task, e)}, endpoint) for endpoint in ROSTERS
        ]
        jobs.append(pool.submit(_fetch_usage, task))
        jobs.append(pool.submit(lambda: {ANALYTICS_USERS.name: _fetch(task, ANALYTICS_USERS)}))
        wait(jobs, return_when=FIRST_EXCEPTION)
        task.halted.set()
    errors = [error for job in jobs if (error := job.exception()) and not isinstance(error, _Halted)]
    if errors:
        raise errors[0]
    return {name: outcome for job in jobs for name, outcome in job.result().items()}


def _fetch_usage(task: Task) -> dict[str, ListOutcome]:
    """Use by id from the newer endpoint; where an organization has not got it, from the older reports."""
    outcomes = {ANALYTICS_USAGE.name: _fetch(task, ANALYTICS_USAGE)}
    if not outcomes[ANALYTICS_USAGE.name].complete:
        outcomes |= {endpoint.name: _fetch(task, endpoint) for endpoint in OLDER_USAGE}
    return outcomes


def _fetch(task: Task, endpoint: Endpoint) -> ListOutcome:
    """One list, with the first of the organization's keys that may read it."""
    refusals = []
    for holder in task.access.keys:
        started = datetime.now(UTC)
        try:
            outcome = _fetch_whole(task, endpoint, holder.client.get)
        except NotAvailable as refusal:
            refusals.append(str(refusal))
            continue
        outcome.key, outcome.started_at, outcome.ended_at = holder.key_env, started, datetime.now(UTC)
        log.info("%s: %s", endpoint.noun, _progress(outcome))
        return outcome
    pages_file(task.folder, endpoint.name).unlink(missing_ok=True)
    log.info("%s: not available to this key", endpoint.noun)
    return ListOutcome(state=State.UNAVAILABLE, reason="; ".join(refusals))


def _fetch_whole(task: Task, endpoint: Endpoint, get: Get) -> ListOutcome:
    """The list from start to end; a cursor that goes missing on the way starts it over, a few times."""
    span = span_to_ask(endpoint, task.day, task.covered_to.get(endpoint.name)) if endpoint.max_days else None
    deadline, restarts = list_deadline(), 0
    while True:
        try:
            return _fetch_once(task, endpoint, get, span, restarts, deadline)
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
    task: Task, endpoint: Endpoint, get: Get, span: Span | None, restarts: int, deadline: float
) -> ListOutcome:
    path = pages_file(task.folder, endpoint.name)
    outcome = ListOutcome(state=State.COMPLETE, restarts=restarts)
    if span is not None:
        if not span:
            raise NotAvailable(400, f"it has nothing about days up to {task.day}", None)
        outcome.covers_from, outcome.covers_to = span.first, span.last
    seen: set[int] = set()
    suspects: set[str] = set()
    with PageWriter(path) as pages:
        for call in calls(endpoint, span) if span else [{}]:
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
                    raise _Halted
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


def _require_a_roster(manifest: Manifest) -> None:
    if manifest.has(USERS.name) or manifest.has(API_KEYS.name):
        return
    raise AccessRefused(
        "neither its members nor its API keys can be read with the given key: members: "
        f"{manifest.lists[USERS.name].reason}; API keys: {manifest.lists[API_KEYS.name].reason}. The account behind "
        "the key may lack the organization-admin permission: only organization admins can create Admin keys; ask yours."
    )
