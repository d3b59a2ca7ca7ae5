"""Walking a list to its end, and the proofs that it did not contradict itself on the way.

Pure: a list is whatever `fetch` answers, so every rule here can be tried without a server.
"""

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from assets.errors import ListFailed
from assets.extraction.api import Endpoint, Instant, Paging
from assets.extraction.client import Answer, NotAvailable, named

PAGE_BOUND = 20_000
"""Pages in one walk: 20 million items, beyond which a list is taken for endless."""


class Page(Struct):
    """The envelope of both ways of paging; the items stay typed by their endpoint."""

    has_more: bool | None = None
    last_id: str | None = None
    next_page: str | None = None
    data_refreshed_at: Instant | None = None


@dataclass(frozen=True)
class Fetched:
    """One page as it came, and what it says."""

    answer: Answer
    items: list[Any]
    refreshed_at: datetime | None = None
    """Up to when a report's data reaches, where it says so."""


class CursorGone(Exception):
    """404 in the middle of a list: the object that the cursor names was deleted meanwhile."""


def walk(
    endpoint: Endpoint, fetch: Callable[[dict[str, str]], Answer], *, page_bound: int = PAGE_BOUND
) -> Iterator[Fetched]:
    """Yield every page of a list, first to last.

    `fetch` gets the query parameters that name the page: none for the first.

    Raises:
        NotAvailable: the first page is not available to this key.
        CursorGone: a later page's cursor is no longer known; start over.
        ListFailed: the list contradicts itself or is no list.
    """
    seen: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        if len(seen) >= page_bound:
            raise _contradiction(endpoint, f"it has more than {page_bound} pages", None)
        answer = _fetch_page(endpoint, fetch, cursor)
        page = _decode(endpoint, answer)
        yield Fetched(answer, _items(endpoint, page, answer), page.data_refreshed_at)
        if not _has_more(endpoint, page, answer):
            return
        # An empty page may say that there is more (admin-api facts): the way on counts, not the items.
        following = page.next_page if endpoint.paging is Paging.TOKEN else page.last_id
        if not following:
            missing = "next_page" if endpoint.paging is Paging.TOKEN else "last_id"
            raise _contradiction(endpoint, f"it says has_more but gives no {missing}", answer)
        if following in seen:
            raise _contradiction(endpoint, f"the cursor {following} came back a second time", answer)
        seen.add(following)
        cursor = {endpoint.paging.value: following}


def items_of(endpoint: Endpoint, body: bytes) -> list[Any]:
    """The items of one page that was kept.

    Raises:
        ListFailed: it is no page of this list.
    """
    answer = Answer(body, None)
    return _items(endpoint, _decode(endpoint, answer), answer)


def equal_repeats(endpoint: Endpoint, pages: Iterable[bytes], suspects: Set[str]) -> int:
    """How many items of `suspects` came again with equal contents.

    Raises:
        ListFailed: one id came with different contents.
    """
    first_seen: dict[str, Struct] = {}
    repeats = 0
    for body in pages:
        for item in items_of(endpoint, body):
            if item.id not in suspects:
                continue
            if item.id not in first_seen:
                first_seen[item.id] = item
            elif item != first_seen[item.id]:
                raise _contradiction(endpoint, f"{item.id} came twice with different contents", None)
            else:
                repeats += 1
    return repeats


def _fetch_page(endpoint: Endpoint, fetch: Callable[[dict[str, str]], Answer], cursor: dict[str, str]) -> Answer:
    if not cursor:
        return fetch({})
    try:
        return fetch(cursor)
    except NotAvailable as refusal:
        if refusal.status == 404:
            raise CursorGone(str(refusal)) from None
        raise ListFailed(
            f"the list of {endpoint.noun} broke off in the middle: the key lost its permission ({refusal})"
        ) from None


def _has_more(endpoint: Endpoint, page: Page, answer: Answer) -> bool:
    if page.has_more is not None:
        return page.has_more
    if endpoint.paging is not Paging.CURSOR:  # some lists say it with the token alone
        return bool(page.next_page)
    raise _contradiction(endpoint, "it does not say whether there is more", answer)


def _decode(endpoint: Endpoint, answer: Answer) -> Page:
    try:
        page: Page = msgspec.json.decode(answer.body, type=_page_type(endpoint.item, endpoint.names))
    except msgspec.MsgspecError as error:
        raise _unexpected(endpoint, str(error), answer) from None
    return page


def _items(endpoint: Endpoint, page: Page, answer: Answer) -> list[Any]:
    for name in endpoint.names:
        items: list[Any] | None = getattr(page, name)
        if items is not None:
            return items
    raise _unexpected(endpoint, f"it has no {' or '.join(endpoint.names)}", answer)


def _unexpected(endpoint: Endpoint, what: str, answer: Answer) -> ListFailed:
    return ListFailed(
        f"the list of {endpoint.noun} has an unexpected shape: {what}{named(answer.request_id)}. "
        "Nothing was taken for data."
    )


@cache
def _page_type(item: type[Struct], names: tuple[str, ...]) -> Any:
    items: Any = list.__class_getitem__(item)
    fields: list[Any] = [(names[0], items)] if len(names) == 1 else [(name, items | None, None) for name in names]
    return msgspec.defstruct(f"{item.__name__}Page", fields, bases=(Page,), kw_only=True)


def _contradiction(endpoint: Endpoint, what: str, answer: Answer | None) -> ListFailed:
    return ListFailed(
        f"the list of {endpoint.noun} contradicts itself: {what}{named(answer.request_id) if answer else ''}. "
        "It was not taken for complete."
    )
