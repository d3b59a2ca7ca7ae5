"""The Activity Feed's endpoint: newest first, with its filters and its two cursors."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import islice
from operator import attrgetter
from typing import Any

from pipelines.sandbox.calls import ApiError, Call, bad_request
from pipelines.sandbox.rows import Activity

_BOUNDS = ("created_at.gte", "created_at.gt", "created_at.lte", "created_at.lt")
_ACTOR_IDS = ("user_id", "service_account_id", "api_key_id", "admin_api_key_id")
_created_at = attrgetter("created_at")


def activities(call: Call) -> dict[str, Any]:
    query = call.query
    query.allow_only("limit", "after_id", "before_id", "activity_types[]", "actor_ids[]", *_BOUNDS)
    if not call.options.feed:
        raise ApiError(404, "The Compliance API is not enabled for this organization.")
    limit = call.rows_per_page(query.whole("limit", default=100, most=5000))
    types, actors = {*query.many("activity_types[]")}, {*query.many("actor_ids[]")}

    def wanted(entry: Activity) -> bool:
        return (not types or entry.type in types) and (not actors or _is_by(entry, actors))

    entries, backwards = _from_cursor(call, *_range(call))
    page = list(islice(filter(wanted, entries), limit + 1))
    has_more = len(page) > limit
    page = page[:limit][::-1] if backwards else page[:limit]
    return {
        "data": [_on_the_wire(call, entry) for entry in page],
        "has_more": has_more,
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
    }


def _range(call: Call) -> tuple[int, int]:
    """The places in the whole feed that the call may see and asks for: from, and up to but not including."""
    feed, query = call.organization.feed, call.query
    first, end = 0, bisect_right(feed, call.now, key=_created_at)
    if call.options.feed_since:
        first = bisect_left(feed, call.options.feed_since, key=_created_at)
    if (instant := query.moment("created_at.gte")) is not None:
        first = max(first, bisect_left(feed, instant, key=_created_at))
    if (instant := query.moment("created_at.gt")) is not None:
        first = max(first, bisect_right(feed, instant, key=_created_at))
    if (instant := query.moment("created_at.lte")) is not None:
        end = min(end, bisect_right(feed, instant, key=_created_at))
    if (instant := query.moment("created_at.lt")) is not None:
        end = min(end, bisect_left(feed, instant, key=_created_at))
    return first, end


def _from_cursor(call: Call, first: int, end: int) -> tuple[Iterable[Activity], bool]:
    """The entries from the cursor on, in the direction of the walk, and whether that is towards the newer ones."""
    feed, after, before = call.organization.feed, call.query.text("after_id"), call.query.text("before_id")
    if after is not None and before is not None:
        raise bad_request("after_id, before_id: Only one of them may be given")
    if before is not None:
        return map(feed.__getitem__, range(max(first, _place(call, before) + 1), end)), True
    if after is not None:
        end = min(end, _place(call, after))
    return map(feed.__getitem__, range(end - 1, first - 1, -1)), False


def _place(call: Call, activity_id: str) -> int:
    place = call.organization.feed_places.get(activity_id)
    if place is None or call.organization.feed[place].created_at > call.now:
        raise ApiError(404, f"{activity_id} was not found")
    return place


def _is_by(entry: Activity, actors: set[str]) -> bool:
    return any(entry.actor.get(name) in actors for name in _ACTOR_IDS)


def _on_the_wire(call: Call, entry: Activity) -> dict[str, Any]:
    return {
        "id": entry.id,
        "created_at": entry.created_at,
        "organization_id": call.organization.tagged_id,
        "organization_uuid": call.organization.id,
        "actor": entry.actor,
        "type": entry.type,
        **entry.details,
    }
