"""The newer usage report: tokens by time bucket and up to five dimensions, people and keys by their ids.

A parent organization's report adds up its children, unless it is filtered or grouped by them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sandbox.calls import Call, Query, bad_request, page_token, token_page
from sandbox.draws import Draws
from sandbox.options import Listing
from sandbox.organization import Organization
from sandbox.rows import Member, Use
from sandbox.usage_sums import WIDTHS, Sums, bucket_of, summed, uses_between

BETA = "analytics-usage-cost-2026-08-24"
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
_LONGEST_RANGE, _FARTHEST_BACK = timedelta(days=31), timedelta(days=365)
_TOLD = ("actor", "actor_type", "api_key_id", "model", "product", "workspace_id")
_ALWAYS_NULL = (
    *("agent_id", "claude_tag_category", "claude_tag_user_id", "context_window", "deployment_id", "environment_id"),
    *("inference_geo", "organization_id", "rbac_group_id", "service_tier", "session_id", "slack_channel_id"),
    *("speed", "user_profile_id"),
)
_PARAMETERS = (
    *("starting_at", "ending_at", "time_bucket_width", "group_by[]", "organization_ids[]"),
    *("order_by", "order", "limit", "page"),
)
_METRICS = ("total_tokens", "output_tokens", "requests", "uncached_input_tokens")
_REFRESH = timedelta(minutes=15)


class _Question(NamedTuple):
    start: datetime
    end: datetime
    width: timedelta | None
    groups: tuple[str, ...]
    order_by: str
    descending: bool
    as_of: datetime
    organizations: tuple[Organization, ...]
    of_parent: bool
    unattributed_percent: int


class _Row(NamedTuple):
    start: datetime
    end: datetime
    group: tuple[str | None, ...]
    sums: Sums


class UsageAnalytics:
    """The endpoint; it keeps the rows of a few questions, because a walk asks for them page by page."""

    def __init__(self) -> None:
        self._rows = lru_cache(maxsize=8)(_rows)

    def answer(self, call: Call) -> dict[str, Any]:
        query = call.query
        query.allow_only(*_PARAMETERS)
        if BETA not in call.headers.get("anthropic-beta", "").replace(" ", "").split(","):
            raise bad_request(f"anthropic-beta: This endpoint is in beta: the header must contain {BETA}")
        limit = query.whole("limit", default=20, most=1000)
        # A walk over pages sees one refresh, however long it takes.
        refreshed_at = bucket_of(call.now - _REFRESH, _REFRESH)
        token = page_token(query, min(refreshed_at, call.options.known_until(Listing.ANALYTICS_USAGE, call.now)))
        question = _question(call, token.as_of)
        page, next_page = token_page(call, self._rows(question), token, call.rows_per_page(limit))
        return {
            "data": [_on_the_wire(call, row, question.groups) for row in page],
            "has_more": next_page is not None,
            "next_page": next_page,
            "data_refreshed_at": token.as_of,
        }


def _question(call: Call, as_of: datetime) -> _Question:
    query = call.query
    groups = tuple(dict.fromkeys(query.words("group_by[]", (*_TOLD, *_ALWAYS_NULL))))
    if len(groups) > 5:
        raise bad_request("group_by[]: At most 5 dimensions")
    width = WIDTHS.get(query.word("time_bucket_width", tuple(WIDTHS)) or "")
    start, end = _asked_range(query, call.now, width)
    order_by = query.word("order_by", (*_METRICS, "time"), "total_tokens") or ""
    if order_by == "time" and width is None:
        order_by = "total_tokens"
    descending = query.word("order", ("asc", "desc")) != "asc"
    options = call.options
    return _Question(
        *(start, end, width, groups, order_by, descending, as_of),
        organizations=_organizations(call),
        of_parent=options.parent_reports,
        unattributed_percent=options.unattributed_percent,
    )


def _organizations(call: Call) -> tuple[Organization, ...]:
    """Whose use is asked for: the key's organization, or those children of its parent that the filter names."""
    ids, sibling = {*call.query.many("organization_ids[]")}, call.options.sibling
    if not call.options.parent_reports:
        if ids:
            raise bad_request("organization_ids[]: Requires an API key created at the parent organization level")
        return (call.organization,)
    children = (call.organization, sibling) if sibling else (call.organization,)
    return tuple(one for one in children if not ids or not ids.isdisjoint((one.id, one.tagged_id)))


def _asked_range(query: Query, now: datetime, width: timedelta | None) -> tuple[datetime, datetime]:
    start, end = query.moment("starting_at"), query.moment("ending_at")
    if start is None:
        raise bad_request("starting_at: Field required")
    if start < _EARLIEST:
        raise bad_request("starting_at: No earlier than 2026-01-01T00:00:00Z")
    if start < now - _FARTHEST_BACK:
        raise bad_request("starting_at: Must be within the last 365 days")
    if end is None and width is not None:
        raise bad_request("ending_at: Required when time_bucket_width is set")
    end = end or min(now, start + _LONGEST_RANGE)
    if end <= start:
        raise bad_request("ending_at: Must be after starting_at")
    if end - start > _LONGEST_RANGE:
        raise bad_request("ending_at: The range may span at most 31 days")
    if width == WIDTHS["1m"] and end - start > timedelta(days=1):
        raise bad_request("ending_at: With 1m buckets the range may span at most 24 hours")
    if width is None:
        start, end = bucket_of(start, WIDTHS["1h"]), bucket_of(end, WIDTHS["1h"])
    return start, end


def _rows(question: _Question) -> Sequence[_Row]:
    """All rows of an answer, in its order."""
    buckets: dict[datetime, list[tuple[list[str | None], Use]]] = {}
    for organization in question.organizations:
        for use in uses_between(organization, question.start, min(question.end, question.as_of)):
            bucket = bucket_of(use.at, question.width) if question.width else question.start
            buckets.setdefault(bucket, []).append((_group(question, organization, use), use))
    rows = [
        _Row(start, start + question.width if question.width else question.end, group, sums)
        for start, uses in buckets.items()
        for group, sums in summed(uses).items()
    ]
    if question.order_by == "time":
        rows.sort(key=lambda row: -row.sums.total_tokens)
        rows.sort(key=lambda row: row.start, reverse=question.descending)
    else:
        rows.sort(key=lambda row: _metric(row.sums, question.order_by), reverse=question.descending)
    return rows


def _metric(sums: Sums, name: str) -> int:
    value: int = sums.input_tokens if name == "uncached_input_tokens" else getattr(sums, name)
    return value


def _group(question: _Question, organization: Organization, use: Use) -> list[str | None]:
    group = [_dimension(use, name) for name in question.groups]
    for place, name in enumerate(question.groups):
        if name == "organization_id" and question.of_parent:
            group[place] = organization.id
        elif name in ("actor", "actor_type") and _is_unattributed(use, question.unattributed_percent):
            group[place] = None
    return group


def _is_unattributed(use: Use, percent: int) -> bool:
    return percent > 0 and Draws("attributed to nobody", use.at, use.user_id, use.api_key_id).chance(percent)


def _dimension(use: Use, name: str) -> str | None:
    """A use's value of one dimension; an actor by its id: the user if there is one, else the account, else the key."""
    if name == "actor":
        return use.user_id or use.service_account_id or use.api_key_id
    if name == "actor_type":
        return "user_actor" if use.user_id else "service_account_actor" if use.service_account_id else "api_actor"
    if name in _ALWAYS_NULL:
        return None
    value: str | None = getattr(use, name)
    return value


def _on_the_wire(call: Call, row: _Row, groups: tuple[str, ...]) -> dict[str, Any]:
    group: dict[str, Any] = dict.fromkeys((*_TOLD, *_ALWAYS_NULL)) | dict(zip(groups, row.group, strict=True))
    if group["actor"]:
        group["actor"] = _actor(call, group["actor"])
    tokens = {"total_tokens": row.sums.total_tokens, "requests": row.sums.requests, **row.sums.on_the_wire()}
    return {"starting_at": row.start, "ending_at": row.end, "group": group, "usage": tokens}


def _actor(call: Call, actor_id: str) -> dict[str, Any]:
    if actor_id.startswith("apikey_"):
        return {"type": "api_actor", "api_key_id": actor_id}
    if actor_id.startswith("svac_"):
        return {"type": "service_account_actor", "service_account_id": actor_id}
    member, deleted = _person(call, actor_id)
    return {
        "type": "user_actor",
        "user_id": actor_id,
        "email_address": member.email if member else None,
        "name": member.name if member else None,
        "deleted": deleted,
    }


def _person(call: Call, user_id: str) -> tuple[Member | None, bool]:
    """How somebody was last known here or in the sibling, and whether they are a member of neither any more."""
    associated = (call.organization, call.options.sibling)
    timelines = [one.until(call.now).members for one in associated if one is not None]
    known = (timeline.last_known(user_id, call.now) for timeline in timelines)
    deleted = all(user_id not in timeline.roster(call.now).positions for timeline in timelines)
    return next((member for member in known if member), None), deleted
