"""The Enterprise analytics of people: one row per active person, one to three days late."""

from datetime import date, datetime, timedelta
from typing import Any

from sandbox.calls import Call, bad_request, page_token, token_page
from sandbox.options import Listing
from sandbox.rows import Use
from sandbox.timeline import midnight
from sandbox.usage_sums import CLAUDE_CODE, uses_between

_EARLIEST = date(2026, 1, 1)
_LONGEST_RANGE = timedelta(days=366)
_OFFICE = ("excel", "outlook", "powerpoint", "word")
# Names of counts, each with `_count` behind it in the answer.
_CHAT_COUNTS = (
    "connectors_used distinct_artifacts_created distinct_connectors_used distinct_files_uploaded "
    "distinct_projects_created distinct_projects_used distinct_shared_artifacts_viewed distinct_skills_used "
    "shared_conversations_viewed thinking_message"
)
_COWORK_COUNTS = (
    "action artifacts_created connectors_used dispatch_turn distinct_connectors_used distinct_plugins_used "
    "distinct_session distinct_skills_used message skills_used"
)
_DESIGN_COUNTS = "distinct_projects_created distinct_projects_used distinct_session message"
_OFFICE_COUNTS = "connectors_used distinct_connectors_used distinct_session distinct_skills_used message skills_used"
_SCIENCE_COUNTS = "delegation distinct_session message remote_compute_job skills_used"
_TOOLS = ("edit_tool", "multi_edit_tool", "notebook_edit_tool", "write_tool")


def analytics_users(call: Call) -> dict[str, Any]:
    query = call.query
    query.allow_only("date", "starting_date", "ending_date", "limit", "page")
    limit = query.whole("limit", default=100, most=1000)
    token = page_token(query, call.now)
    first, end = _asked_days(call, _latest_known_day(call, token.as_of))
    uses_by_person: dict[str, list[Use]] = {}
    for use in uses_between(call.organization, midnight(first), midnight(end)):
        if use.user_id and not use.api_key_id:
            uses_by_person.setdefault(use.user_id, []).append(use)
    page, next_page = token_page(call, sorted(uses_by_person.items()), token, call.rows_per_page(limit))
    name = "summaries" if call.options.users_as_summaries else "data"
    return {name: [_row(call, *person) for person in page], "has_more": next_page is not None, "next_page": next_page}


def latest_day(today: date) -> date:
    """The latest day that the report has: one to three days ago, in turn."""
    return today - timedelta(days=1 + today.toordinal() % 3)


def _latest_known_day(call: Call, as_of: datetime) -> date:
    """The latest day that the report has now: where it stalled, the last one that was over by then."""
    over = call.options.known_until(Listing.ANALYTICS_USERS, call.now).date() - timedelta(days=1)
    return min(latest_day(as_of.date()), over)


def _asked_days(call: Call, latest: date) -> tuple[date, date]:
    """The first day asked for, and the day after the last."""
    query = call.query
    one, first, end = query.day("date"), query.day("starting_date"), query.day("ending_date")
    if (one is None) == (first is None):
        raise bad_request("date, starting_date: Exactly one of them must be given")
    if one is not None:
        if end is not None:
            raise bad_request("ending_date: Only valid with starting_date")
        first, end = one, one + timedelta(days=1)
    assert first is not None
    end = end or latest + timedelta(days=1)
    if first < _EARLIEST:
        raise bad_request("Data is not available before 2026-01-01.")
    if max(first + timedelta(days=1), end) > latest + timedelta(days=1):
        raise bad_request(f"Data is not available for the requested date yet. The latest available day is {latest}.")
    if end <= first or end - first > _LONGEST_RANGE:
        raise bad_request("ending_date: Must be 1 to 366 days after starting_date")
    return first, end


def _row(call: Call, user_id: str, uses: list[Use]) -> dict[str, Any]:
    member = call.organization.until(call.now).members.last_known(user_id, call.now)
    chats = sum(use.requests for use in uses if use.product != CLAUDE_CODE)
    sessions = sum(1 + use.requests % 5 for use in uses if use.product == CLAUDE_CODE)
    last = {"last_activity_date": max(use.at for use in uses).date()} if call.options.tells_last_activity else {}
    return {
        "user": {"id": user_id, "type": "user", "email_address": member.email if member else ""},
        **last,
        "distinct_user_count": None,
        "web_search_count": 0,
        "chat_metrics": _chat_metrics(chats),
        "claude_code_metrics": _claude_code_metrics(sessions),
        **_quiet_products(),
    }


def _chat_metrics(messages: int) -> dict[str, int]:
    return {
        **_zeros(_CHAT_COUNTS),
        "distinct_conversation_count": -(-messages // 4),
        "message_count": messages,
    }


def _claude_code_metrics(sessions: int) -> dict[str, Any]:
    return {
        "core_metrics": {
            "artifacts_created_count": 0,
            "commit_count": sessions,
            "distinct_session_count": sessions,
            "lines_of_code": {"added_count": sessions * 21, "removed_count": sessions * 5},
            "pull_request_count": sessions // 3,
        },
        "tool_actions": {tool: {"accepted_count": sessions, "rejected_count": 0} for tool in _TOOLS},
    }


def _quiet_products() -> dict[str, Any]:
    """The products that nobody in the sandbox uses, in full: readers may not stumble over them."""
    return {
        "cowork_metrics": _zeros(_COWORK_COUNTS),
        "design_metrics": _zeros(_DESIGN_COUNTS),
        "office_metrics": {product: _zeros(_OFFICE_COUNTS) for product in _OFFICE},
        "science_metrics": _zeros(_SCIENCE_COUNTS),
    }


def _zeros(names: str) -> dict[str, int]:
    return {f"{name}_count": 0 for name in names.split()}
