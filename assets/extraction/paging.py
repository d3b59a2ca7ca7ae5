"""Walking a list to its end, and the proofs that it did not contradict itself on the way.

Pure: a list is whatever `fetch` answers, so every rule here can be tried without a server.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Struct

from assets.errors import ListFailed
from assets.extraction.answers import Answer, NotAvailable, named
from assets.extraction.api import Endpoint, Paging
from assets.extraction.records import Odd, Page, Read, read_page

PAGE_BOUND = 20_000
"""Pages in one walk: 20 million items, beyond which a list is taken for endless."""


@dataclass(frozen=True)
class Fetched:
    """One page as it came, and what it says."""

    answer: Answer
    items: list[Any]
    refreshed_at: datetime | None = None
    """Up to when a report's data reaches, where it says so."""
    odd: Sequence[Odd] = ()


class Contradiction(ListFailed):
    """A list that says two things at once: it may have moved under the walk, so it is worth another one."""


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
        read = read_page(endpoint, answer.body, answer.request_id)
        page = read.page
        _require_its_own_last_item(endpoint, read, answer)
        yield fetched(answer, read)
        if not _has_more(endpoint, page, answer):
            return
        # An empty page may say that there is more: the way on counts, not the items.
        following = page.next_page if endpoint.paging is Paging.TOKEN else page.last_id
        if not following:
            missing = "next_page" if endpoint.paging is Paging.TOKEN else "last_id"
            raise _contradiction(endpoint, f"it says has_more but gives no {missing}", answer)
        if following in seen:
            raise _contradiction(endpoint, f"the cursor {following} came back a second time", answer)
        seen.add(following)
        cursor = {endpoint.paging.value: following}


def fetched(answer: Answer, read: Read) -> Fetched:
    """A page that was read."""
    return Fetched(answer, read.items, read.page.data_refreshed_at, read.odd)


def equal_repeats(endpoint: Endpoint, pages: Iterable[bytes], suspects: Set[str]) -> int:
    """How many items of `suspects` came again with equal contents.

    Raises:
        ListFailed: one id came with different contents.
    """
    first_seen: dict[str, Struct] = {}
    repeats = 0
    for body in pages:
        for item in read_page(endpoint, body).items:
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


def _require_its_own_last_item(endpoint: Endpoint, read: Read, answer: Answer) -> None:
    """A cursor that names another item than the page's last would skip some, or tell some twice.

    Where an item had to be left out, it may have been that one.
    """
    if endpoint.paging is not Paging.CURSOR or not (read.items and read.page.last_id):
        return
    if any(odd.left_out for odd in read.odd):
        return
    last = read.items[-1].id
    if read.page.last_id != last:
        raise _contradiction(endpoint, f"a page names {read.page.last_id} as its last item, which is {last}", answer)


def _contradiction(endpoint: Endpoint, what: str, answer: Answer | None) -> Contradiction:
    return Contradiction(
        f"the list of {endpoint.noun} contradicts itself: {what}{named(answer.request_id) if answer else ''}. "
        "It was not taken for complete."
    )
