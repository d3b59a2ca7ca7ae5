"""The older usage reports: messages by time bucket, and Claude Code by day and actor."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sandbox.calls import Call, bad_request, page_token, token_page
from sandbox.draws import Draws
from sandbox.options import Listing
from sandbox.rows import Use
from sandbox.timeline import midnight
from sandbox.usage_sums import CLAUDE_CODE, PLAYGROUND, WIDTHS, bucket_of, summed, uses_between

# Rows per page by bucket width: the default and the most, as in the real API.
_BUCKETS = {"1d": (7, 31), "1h": (24, 168), "1m": (60, 1440)}
_REPORTED = {"messages_api", CLAUDE_CODE, PLAYGROUND}
_DIMENSIONS = ("api_key_id", "account_id", "service_account_id", "workspace_id", "model")
_NOT_TOLD = ("service_tier", "context_window", "inference_geo")
_MESSAGES_DELAY, _CLAUDE_CODE_DELAY = timedelta(minutes=5), timedelta(hours=1)


def messages_report(call: Call) -> dict[str, Any]:
    query = call.query
    query.allow_only("starting_at", "ending_at", "bucket_width", "limit", "page", "group_by[]")
    width_name = query.word("bucket_width", tuple(WIDTHS)) or "1d"
    default, most = _BUCKETS[width_name]
    limit = query.whole("limit", default=default, most=most)
    groups = query.words("group_by[]", (*_DIMENSIONS, *_NOT_TOLD))
    token = page_token(query, _as_of(call, Listing.MESSAGES, _MESSAGES_DELAY))
    starts = _bucket_starts(call, width_name)
    if call.options.leaves_days_out(call.now):
        starts = [start for start in starts if start < token.as_of]
    page, next_page = token_page(call, starts, token, limit)
    data = [_bucket(call, start, WIDTHS[width_name], token.as_of, groups) for start in page]
    return {"data": data, "has_more": next_page is not None, "next_page": next_page}


def claude_code_report(call: Call) -> dict[str, Any]:
    query = call.query
    query.allow_only("starting_at", "limit", "page")
    day = query.day("starting_at")
    if day is None:
        raise bad_request("starting_at: Field required")
    limit = query.whole("limit", default=20, most=1000)
    token = page_token(query, _as_of(call, Listing.CLAUDE_CODE, _CLAUDE_CODE_DELAY))
    end = min(midnight(day) + timedelta(days=1), token.as_of)
    uses = uses_between(call.organization, midnight(day), end)
    missed = call.options.claude_code_missed_percent
    sessions = [
        (use, terminal) for use in uses if _is_reported_claude_code(use, missed) for terminal in _terminals(use)
    ]
    page, next_page = token_page(call, sessions, token, call.rows_per_page(limit))
    data = [_claude_code_record(call, use, terminal) for use, terminal in page]
    return {"data": data, "has_more": next_page is not None, "next_page": next_page}


def _as_of(call: Call, report: Listing, delay: timedelta) -> datetime:
    """Up to when a report knows what was used: a little late, and no later than where it stalled."""
    return min(call.now - delay, call.options.known_until(report, call.now))


def _bucket_starts(call: Call, width_name: str) -> list[datetime]:
    starting_at, ending_at = call.query.moment("starting_at"), call.query.moment("ending_at")
    if starting_at is None:
        raise bad_request("starting_at: Field required")
    if ending_at is not None and ending_at <= starting_at:
        raise bad_request("ending_at: Must be after starting_at")
    width = WIDTHS[width_name]
    first, end = bucket_of(starting_at, width), min(ending_at or call.now, call.now)
    return [first + number * width for number in range(max(0, -((first - end) // width)))]


def _bucket(call: Call, start: datetime, width: timedelta, as_of: datetime, groups: list[str]) -> dict[str, Any]:
    uses = uses_between(call.organization, start, min(start + width, as_of))
    reported = [use for use in uses if use.product in _REPORTED]
    sums = summed(
        ([_dimension(call, use, name) if name in groups else None for name in _DIMENSIONS], use) for use in reported
    )
    results = [
        {**dict(zip(_DIMENSIONS, values, strict=True)), **dict.fromkeys(_NOT_TOLD), **total.on_the_wire()}
        for values, total in sums.items()
    ]
    return {"starting_at": start, "ending_at": start + width, "results": results}


def _dimension(call: Call, use: Use, name: str) -> str | None:
    if name == "account_id":  # only use through OAuth has an account
        return use.user_id if use.product == CLAUDE_CODE and use.api_key_id is None else None
    if name == "workspace_id" and use.workspace_id == call.organization.default_workspace.id:
        return None
    value: str | None = getattr(use, name)
    return value


def _is_reported_claude_code(use: Use, missed: int) -> bool:
    """Whether the report has this use: it misses a share of the people, who work through a subscription."""
    if use.product != CLAUDE_CODE:
        return False
    return use.api_key_id is not None or (use.user_id is not None and not _is_missed(use.user_id, missed))


def _terminals(use: Use) -> tuple[str, ...]:
    """An actor has a record for each terminal, so one or two a day."""
    return ("vscode", "iTerm.app") if use.requests % 4 == 0 else ("vscode",)


def _claude_code_actor(call: Call, use: Use) -> dict[str, str | None]:
    organization = call.organization
    if use.api_key_id:
        key = organization.until(use.at).keys.last_known(use.api_key_id, use.at)
        return {"type": "api_actor", "api_key_name": key.name if key else None}
    member = organization.until(use.at).members.last_known(use.user_id or "", use.at)
    return {"type": "user_actor", "email_address": member.email if member else None}


@cache
def _is_missed(user_id: str, percent: int) -> bool:
    return Draws("missed by the Claude Code report", user_id).chance(percent)


def _claude_code_record(call: Call, use: Use, terminal: str) -> dict[str, Any]:
    return {
        "actor": _claude_code_actor(call, use),
        "date": midnight(use.at.date()),
        "organization_id": call.organization.id,
        "customer_type": "api" if use.api_key_id else "subscription",
        "subscription_type": None if use.api_key_id else "team",
        "terminal_type": terminal,
        "core_metrics": {
            "num_sessions": 1 + use.requests % 5,
            "lines_of_code": {"added": use.requests * 7, "removed": use.requests * 2},
            "commits_by_claude_code": use.requests % 3,
            "pull_requests_by_claude_code": use.requests % 2,
        },
        "tool_actions": {
            tool: {"accepted": use.requests % 11, "rejected": use.requests % 2}
            for tool in ("edit_tool", "multi_edit_tool", "write_tool", "notebook_edit_tool")
        },
        "model_breakdown": [
            {
                "model": use.model,
                "tokens": {
                    "input": use.input_tokens,
                    "output": use.output_tokens,
                    "cache_read": use.cache_read_tokens,
                    "cache_creation": 0,
                },
                "estimated_cost": {"currency": "USD", "amount": use.output_tokens // 100},
            }
        ],
    }
