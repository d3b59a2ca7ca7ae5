"""The Activity Feed's endpoint: newest first, with its filters and its two cursors.

It tells what the caller's parent organization tells: the changes of a linked sibling as well.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import lru_cache
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

from sandbox.calls import ApiError, Call, bad_request
from sandbox.chronicle import Chronicle
from sandbox.rows import Activity

_BOUNDS = ("created_at.gte", "created_at.gt", "created_at.lte", "created_at.lt")
_FILTERS = ("activity_types[]", "actor_ids[]", "organization_ids[]")
_ACTOR_IDS = ("user_id", "service_account_id", "api_key_id", "admin_api_key_id")
# The cursor of an empty page is no entry's id: it says where in the feed to go on.
_GAP = re.compile(r"activity_gap_(\d+)")
_created_at = attrgetter("created_at")


class _Feed(NamedTuple):
    """What the parent's tenant tells, oldest first, and where each id stands in it."""

    entries: list[Activity]
    places: dict[str, int]


class _Walk(NamedTuple):
    """What a call may see and asks for: places from `first` up to but not including `end`, and the direction."""

    first: int
    end: int
    backwards: bool
    """From the older to the newer ones."""
    after_gap: bool

    def places(self) -> Iterable[int]:
        return range(self.first, self.end) if self.backwards else range(self.end - 1, self.first - 1, -1)

    def gap(self) -> str:
        """A cursor that goes on exactly here."""
        return f"activity_gap_{self.first - 1 if self.backwards else self.end}"


class ActivityFeed:
    """The endpoint; it keeps the merged feed, and counts the pages between which empty ones come."""

    def __init__(self) -> None:
        self._feed_of = lru_cache(maxsize=2)(_feed_of)
        self._pages = 0

    def answer(self, call: Call) -> dict[str, Any]:
        query = call.query
        query.allow_only("limit", "after_id", "before_id", *_FILTERS, *_BOUNDS)
        if not call.options.feed:
            raise ApiError(404, "The Compliance API is not enabled for this organization.")
        limit = call.rows_per_page(query.whole("limit", default=100, most=5000))
        feed, wanted = self._feed(call), _filter(call)
        walk = _walk(call, feed)
        page = list(islice(filter(wanted, map(feed.entries.__getitem__, walk.places())), limit + 1))
        if page and self._is_gap(call, walk):
            return {"data": [], "has_more": True, "first_id": walk.gap(), "last_id": walk.gap()}
        has_more = len(page) > limit
        page = page[:limit][::-1] if walk.backwards else page[:limit]
        return {
            "data": [_on_the_wire(call, entry) for entry in page],
            "has_more": has_more,
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }

    def _feed(self, call: Call) -> _Feed:
        sibling = call.options.sibling
        return self._feed_of(call.organization.until(call.now), sibling and sibling.until(call.now))

    def _is_gap(self, call: Call, walk: _Walk) -> bool:
        """Whether an empty page comes before this one; after an empty one there always are entries."""
        if walk.after_gap:
            return False
        self._pages += 1
        every = call.options.empty_feed_page_every
        return bool(every) and self._pages % every == 0


def _feed_of(chronicle: Chronicle, sibling: Chronicle | None) -> _Feed:
    if sibling is None:
        return _Feed(chronicle.feed, chronicle.feed_places)
    entries = list(merge(chronicle.feed, sibling.feed, key=_created_at))
    return _Feed(entries, {entry.id: place for place, entry in enumerate(entries)})


def _filter(call: Call) -> Callable[[Activity], bool]:
    types, actors, organizations = ({*call.query.many(name)} for name in _FILTERS)
    if call.options.feed_ignores_organization_ids:
        organizations = set()
    since, until = call.options.feed_outage or (call.now, call.now)

    def wanted(entry: Activity) -> bool:
        return (
            not since <= entry.created_at < until
            and (not types or entry.type in types)
            and (not actors or any(entry.actor.get(name) in actors for name in _ACTOR_IDS))
            and (not organizations or not organizations.isdisjoint((entry.organization_id, entry.organization_uuid)))
        )

    return wanted


def _walk(call: Call, feed: _Feed) -> _Walk:
    first, end = _range(call, feed.entries)
    after, before = call.query.text("after_id"), call.query.text("before_id")
    if after is not None and before is not None:
        raise bad_request("after_id, before_id: Only one of them may be given")
    cursor = before if before is not None else after
    if cursor is None:
        return _Walk(first, end, backwards=False, after_gap=False)
    place, is_gap = _place(call, feed, cursor), _GAP.fullmatch(cursor) is not None
    if before is not None:
        return _Walk(max(first, place + 1), end, backwards=True, after_gap=is_gap)
    return _Walk(first, min(end, place), backwards=False, after_gap=is_gap)


def _range(call: Call, entries: list[Activity]) -> tuple[int, int]:
    query = call.query
    first, end = 0, bisect_right(entries, call.now - timedelta(call.options.feed_days_behind), key=_created_at)
    if call.options.feed_since:
        first = bisect_left(entries, call.options.feed_since, key=_created_at)
    if (instant := query.moment("created_at.gte")) is not None:
        first = max(first, bisect_left(entries, instant, key=_created_at))
    if (instant := query.moment("created_at.gt")) is not None:
        first = max(first, bisect_right(entries, instant, key=_created_at))
    if (instant := query.moment("created_at.lte")) is not None:
        end = min(end, bisect_right(entries, instant, key=_created_at))
    if (instant := query.moment("created_at.lt")) is not None:
        end = min(end, bisect_left(entries, instant, key=_created_at))
    return first, end


def _place(call: Call, feed: _Feed, cursor: str) -> int:
    if gap := _GAP.fullmatch(cursor):
        return int(gap[1])
    place = feed.places.get(cursor)
    if place is None or feed.entries[place].created_at > call.now:
        raise ApiError(404, f"{cursor} was not found")
    return place


def _on_the_wire(call: Call, entry: Activity) -> dict[str, Any]:
    return {
        "id": entry.id,
        "created_at": entry.created_at,
        "organization_id": entry.organization_id,
        "organization_uuid": entry.organization_uuid if call.options.feed_tells_uuid else None,
        "actor": entry.actor,
        "type": entry.type,
        **entry.details,
    }
