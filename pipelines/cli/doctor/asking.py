"""The smallest question to each endpoint that a snapshot reads, and whether it was answered.

Knows nothing of sentences for people: those are in `endpoints`.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

import httpx
import msgspec

from assets.days import yesterday
from assets.errors import LicenseHistoryError
from assets.extraction import api
from assets.extraction.api import Endpoint
from assets.extraction.client import Answer, Client, NotAvailable, Rejected, named
from assets.extraction.organizations import Access
from assets.extraction.paging import Fetched, walk
from assets.extraction.usage_calls import Span, latest_day_named, parameters

PATIENCE_SECONDS = 5.0
TIMEOUT_SECONDS = 5.0
INVITE_PAGES = 3
"""Invitations are read through, to name the pending ones, but not without end."""

ENTERPRISE_DELAY = timedelta(days=7)
"""Enterprise analytics is days late, so it is asked for a day that it surely has."""


class _Activity(msgspec.Struct):
    id: str


ACTIVITIES = replace(api.ACTIVITIES, item=_Activity, noun="Activity Feed", params={})
ASKED = (*api.ROSTERS, *api.USAGE, ACTIVITIES)


class ImpatientClient(Client):
    """A client that has an answer within seconds, or says that there is none."""

    def __init__(self, base_url: str, key: str) -> None:
        super().__init__(base_url, key)
        self._http.timeout = httpx.Timeout(TIMEOUT_SECONDS)

    def get(self, path: str, params: Mapping[str, Any], headers: Mapping[str, str], *, deadline: float) -> Answer:
        soon = time.monotonic() + PATIENCE_SECONDS
        return super().get(path, params, headers, deadline=min(deadline, soon))


@dataclass(frozen=True)
class Reply:
    """What became of a question: items, or why each key was refused, or what failed."""

    endpoint: Endpoint
    items: list[Any] | None = None
    refusals: tuple[NotAvailable, ...] = ()
    failure: LicenseHistoryError | None = None

    @property
    def answered(self) -> bool:
        return self.items is not None

    @property
    def forbidden(self) -> bool:
        """Whether at least one key was told that it may not, rather than that there is no such thing."""
        return any(refusal.status == 403 for refusal in self.refusals)

    @property
    def reason(self) -> str:
        """Each refusal's status, with the request id that support asks for."""
        return "; ".join(f"HTTP {refusal.status}{named(refusal.request_id)}" for refusal in self.refusals)


@dataclass(frozen=True)
class _Question:
    endpoint: Endpoint
    params: dict[str, Any]
    pages: int = 1
    span: Span | None = None


MAY_LACK = (api.WORKSPACES, api.ANALYTICS_USAGE, api.ANALYTICS_USERS)
"""Where, as for the extraction, a 400 means that the organization has not got the endpoint."""


def ask(access: Access, endpoint: Endpoint, now: datetime) -> Reply:
    """Ask with the first of the organization's keys that may."""
    refusals: list[NotAvailable] = []
    for holder in access.keys:
        question = _question(endpoint, access.organization.id, now, wishing=endpoint.has_wishes)
        try:
            return Reply(endpoint, _answered(holder.client, question, access.organization.id, now))
        except NotAvailable as refusal:
            refusals.append(refusal)
        except Rejected as rejection:
            if question.span and latest_day_named(rejection.message, question.span) is not None:
                return Reply(endpoint, [])
            if rejection.status != 400 or endpoint not in MAY_LACK:
                return Reply(endpoint, failure=rejection)
            refusals.append(NotAvailable(rejection.status, str(rejection), None))
        except LicenseHistoryError as error:
            return Reply(endpoint, failure=error)
    return Reply(endpoint, refusals=tuple(refusals))


def _answered(client: Client, question: _Question, organization_id: str, now: datetime) -> list[Any]:
    """The items of the first pages; a server that refuses what is wished for beside the list is asked without it."""
    try:
        return [item for page in islice(_pages(client, question), question.pages) for item in page.items]
    except Rejected as rejection:
        if rejection.status != 400 or not question.endpoint.has_wishes:
            raise
    plain = _question(question.endpoint, organization_id, now, wishing=False)
    return [item for page in islice(_pages(client, plain), plain.pages) for item in page.items]


def _question(endpoint: Endpoint, organization_id: str, now: datetime, *, wishing: bool) -> _Question:
    asked = endpoint.asked(organization_id, wishing=wishing)
    if endpoint is api.INVITES:
        return _Question(endpoint, asked, INVITE_PAGES)
    smallest = {**asked, "limit": 1}
    if not endpoint.max_days:
        return _Question(endpoint, smallest)
    day = _day(endpoint, now)
    span = Span(day, day)
    return _Question(endpoint, {**smallest, **parameters(endpoint, span)}, span=span)


def _day(endpoint: Endpoint, now: datetime) -> date:
    return yesterday(now - ENTERPRISE_DELAY if endpoint is api.ANALYTICS_USERS else now)


def _pages(client: Client, question: _Question) -> Iterator[Fetched]:
    endpoint = question.endpoint
    return walk(
        endpoint,
        lambda cursor: client.get(
            endpoint.path,
            {**question.params, **cursor},
            endpoint.headers,
            deadline=time.monotonic() + PATIENCE_SECONDS,
        ),
    )
