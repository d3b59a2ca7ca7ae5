"""Which usage is asked for, from which generation of endpoints, and for which days."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from assets.extraction.api import ANALYTICS_USAGE, ANALYTICS_USERS, CLAUDE_CODE, MESSAGES_USAGE, USAGE
from assets.extraction.usage_calls import Span, latest_day_named, parameters, parts, span_to_ask
from tests.scripted import DAY, Nights, Row, ScriptedApi, api_key, claude_code, error, page, person, used, user

Start = Callable[..., Nights]


def company(**usage: list[Row]) -> ScriptedApi:
    return ScriptedApi(users=[user(1), user(2)], api_keys=[api_key(1)], **usage)


def states(nights: Nights, day: date = DAY) -> dict[str, str]:
    lists = nights.manifest(day)["lists"]
    return {one.name: lists[one.name]["state"] for one in USAGE if one.name in lists}


def span(nights: Nights, name: str, day: date = DAY) -> tuple[str, str]:
    told = nights.manifest(day)["lists"][name]
    return told["covers_from"], told["covers_to"]


NEWER = [used("2026-05-30", actor=person("user_0001"), key="apikey_0001")]
MESSAGES = [{"starting_at": "2026-05-31T00:00:00Z", "results": [{"api_key_id": "apikey_0001", "account_id": None}]}]
CLAUDE = [claude_code("2026-05-29", type="user_actor", email_address="USER2@acme.example")]


def test_where_the_newer_endpoint_answers_the_older_ones_are_not_asked(nights: Start):
    made = nights(company(analytics_usage=NEWER, messages_usage=MESSAGES, claude_code=CLAUDE))
    snapshot = made.night()
    assert states(made) == {"analytics_usage": "complete", "analytics_users": "not available"}
    assert {id: row["last_used_source"] for id, row in snapshot.items()} == {
        "user_0001": "analytics",
        "apikey_0001": "analytics",
        "user_0002": None,
    }
    assert made.facts().usage_sources == ["analytics"]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_where_the_newer_endpoint_is_not_available_the_older_reports_serve(nights: Start, status: int):
    api = company(messages_usage=MESSAGES, claude_code=CLAUDE)
    api.says["analytics/usage"] = lambda _: error(status, "not here")
    made = nights(api)
    snapshot = made.night()
    assert states(made) == {
        "analytics_usage": "not available",
        "messages_usage": "complete",
        "claude_code": "complete",
        "analytics_users": "not available",
    }
    assert {id: (row["last_used_source"], str(row["last_used_at"])[:10]) for id, row in snapshot.items()} == {
        "apikey_0001": ("messages_usage", "2026-05-31"),
        "user_0002": ("claude_code", "2026-05-29"),
        "user_0001": (None, "None"),
    }
    assert made.facts().usage_sources == ["claude_code", "messages_usage"]


def test_a_fault_of_the_newer_endpoint_is_not_taken_for_its_absence(nights: Start):
    api = company(messages_usage=MESSAGES, claude_code=CLAUDE)
    api.says["analytics/usage"] = lambda _: error(500)
    lists = nights(api).observe().manifest.lists
    assert lists["analytics_usage"].state.value == "not read"
    assert "HTTP 500" in str(lists["analytics_usage"].reason)
    assert not lists.keys() & {"messages_usage", "claude_code"}


def test_an_older_report_that_refuses_its_question_is_a_mistake_to_be_seen(nights: Start):
    api = company(claude_code=CLAUDE)
    api.says["usage_report/messages"] = lambda _: error(400, "limit: too large")
    messages = nights(api).observe().manifest.lists["messages_usage"]
    assert messages.state.value == "not read"
    assert "usage_report/messages was refused: HTTP 400, invalid_request_error: limit: too large" in str(
        messages.reason
    )


def test_without_any_usage_endpoint_the_snapshot_says_that_nobody_knows(nights: Start):
    made = nights(company())
    rows = made.night().values()
    assert set(states(made).values()) == {"not available"}
    assert {(row["last_used_state"], row["usage_observed_since"]) for row in rows} == {("unknown", None)}


def test_the_first_night_looks_back_ninety_days(nights: Start):
    made = nights(company(analytics_usage=[], claude_code=[]))
    made.observe()
    assert span(made, "analytics_usage") == ("2026-03-04", "2026-06-01")
    assert date(2026, 6, 1) - date(2026, 3, 4) == timedelta(days=89)


def test_the_next_night_asks_for_a_trailing_window_of_four_days(nights: Start):
    made = nights(company(analytics_usage=[]))
    made.night()
    made.night(DAY + timedelta(days=1))
    assert span(made, "analytics_usage", DAY + timedelta(days=1)) == ("2026-05-30", "2026-06-02")


def test_after_an_outage_the_days_not_yet_fetched_are_asked_for(nights: Start):
    made = nights(company(analytics_usage=[]))
    made.night()
    later = DAY + timedelta(days=20)
    made.night(later)
    assert span(made, "analytics_usage", later) == ("2026-06-02", "2026-06-21")


def test_the_same_night_again_asks_for_the_same_days(nights: Start):
    made = nights(company(analytics_usage=[]))
    made.night()
    made.night()
    assert span(made, "analytics_usage") == ("2026-03-04", "2026-06-01")


def test_a_source_that_begins_to_answer_is_asked_ninety_days_back(nights: Start):
    api = company(messages_usage=[], claude_code=[])
    made, later = nights(api), DAY + timedelta(days=1)
    made.night()
    api.lists["analytics_usage"] = []
    made.night(later)
    assert span(made, "analytics_usage", later) == ("2026-03-05", "2026-06-02")


def test_use_that_is_reported_late_is_found_by_a_later_night(nights: Start):
    api = company(analytics_usage=[])
    made, later = nights(api), DAY + timedelta(days=1)
    assert made.night()["user_0001"]["last_used_state"] == "never_seen"
    api.lists["analytics_usage"] = NEWER
    made.night(later)
    row = made.rows(later)["user_0001"]
    assert (row["last_used_state"], str(row["last_used_at"])) == ("used", "2026-05-30 00:00:00+00:00")
    assert str(row["usage_observed_since"]) == "2026-03-04"
    assert made.rows()["user_0001"]["last_used_state"] == "never_seen", "a snapshot keeps what was known then"


def test_what_earlier_nights_saw_is_not_forgotten_when_it_is_no_longer_asked_for(nights: Start):
    api = company(analytics_usage=NEWER)
    made, later = nights(api), DAY + timedelta(days=30)
    made.night()
    api.lists["analytics_usage"] = []
    row = made.night(later)["user_0001"]
    assert (str(row["last_used_at"])[:10], row["last_used_state"]) == ("2026-05-30", "used")


TOO_RECENT = "Data is not available for the requested date yet. The latest available day is 2026-05-30."


def enterprise(latest: str, rows: list[Row]) -> ScriptedApi:
    """Enterprise analytics that are late: a range that ends after `latest` is refused, naming it."""
    api = ScriptedApi(users=[user(1), user(2)], analytics_users=rows)
    api.says["api_keys"] = lambda _: error(404)

    def answer(request: httpx.Request) -> httpx.Response:
        if date.fromisoformat(request.url.params["ending_date"]) > date.fromisoformat(latest) + timedelta(days=1):
            return error(400, TOO_RECENT.replace("2026-05-30", latest))
        return api.answer(request)

    api.says["analytics/users"] = answer
    return api


def active(day: str, **person: Any) -> Row:
    return {"user": person, "last_activity_date": day}


def test_enterprise_analytics_that_are_late_are_taken_up_to_the_day_they_name(nights: Start):
    made = nights(
        enterprise("2026-05-30", [active("2026-05-30", id="user_0001"), active("2026-05-12", id="user_0002")])
    )
    snapshot = made.night()
    assert span(made, "analytics_users") == ("2026-05-02", "2026-05-30")
    assert {id: (row["last_used_source"], str(row["last_used_at"])[:10]) for id, row in snapshot.items()} == {
        "user_0001": ("enterprise_analytics", "2026-05-30"),
        "user_0002": ("enterprise_analytics", "2026-05-12"),
    }


def test_the_days_that_were_too_recent_are_asked_for_the_next_night(nights: Start):
    spoken = [active("2026-05-03", id="user_0009")]
    made, later = nights(enterprise("2026-05-28", spoken)), DAY + timedelta(days=1)
    assert {row["last_used_state"] for row in made.night().values()} == {"never_seen"}
    made.api = enterprise("2026-05-31", [active("2026-05-29", email_address="User1@Acme.example")])
    snapshot = made.night(later)
    assert span(made, "analytics_users", later) == ("2026-05-29", "2026-05-31")
    assert (snapshot["user_0001"]["last_used_state"], snapshot["user_0002"]["last_used_state"]) == (
        "used",
        "never_seen",
    )


def test_enterprise_analytics_too_late_for_anything_new_are_not_available_that_night(nights: Start):
    made, later = nights(enterprise("2026-06-01", [active("2026-06-01", id="user_0001")])), DAY + timedelta(days=30)
    made.night()
    made.api = enterprise("2026-05-20", [])
    snapshot = made.night(later)
    told = made.manifest(later)["lists"]["analytics_users"]
    assert told["state"] == "not available"
    assert "The latest available day is 2026-05-20" in told["reason"]
    assert snapshot["user_0001"]["last_used_state"] == "used"
    assert snapshot["user_0002"]["last_used_state"] == "not_seen", "somebody watched, but not for a month now"


@pytest.mark.parametrize("endpoint", [ANALYTICS_USAGE, ANALYTICS_USERS])
def test_newer_endpoints_are_not_asked_for_what_they_never_have(endpoint: Any):
    assert span_to_ask(endpoint, date(2026, 1, 20), None) == Span(date(2026, 1, 1), date(2026, 1, 20))
    assert not span_to_ask(endpoint, date(2025, 12, 31), None)
    long_ago = span_to_ask(endpoint, date(2028, 1, 1), date(2026, 3, 1))
    assert date(2028, 1, 2) - long_ago.first <= timedelta(days=365)


def test_older_reports_are_asked_as_far_back_as_needed():
    assert span_to_ask(MESSAGES_USAGE, date(2025, 2, 1), None) == Span(date(2024, 11, 4), date(2025, 2, 1))


@pytest.mark.parametrize("endpoint", USAGE, ids=lambda one: one.name)
def test_the_questions_cover_every_day_once_and_none_is_longer_than_allowed(endpoint: Any):
    asked = Span(date(2026, 1, 31), date(2026, 5, 3))
    days = []
    for question in (parameters(endpoint, part) for part in parts(endpoint, asked)):
        if endpoint is CLAUDE_CODE:
            days.append(date.fromisoformat(question["starting_at"]))
            continue
        first, after = [date.fromisoformat(value[:10]) for value in question.values()]
        assert after - first <= timedelta(days=31)
        days += [first + timedelta(days=n) for n in range((after - first).days)]
    assert days == [asked.first + timedelta(days=n) for n in range((asked.last - asked.first).days + 1)]


def test_usage_is_asked_in_utc_days_by_actor_and_key(nights: Start):
    api = company(analytics_usage=[])
    nights(api).observe()
    asked = [request for request in api.asked if request.url.path.endswith("analytics/usage")]
    assert [request.url.params["starting_at"] for request in asked] == [
        "2026-03-04T00:00:00Z",
        "2026-04-04T00:00:00Z",
        "2026-05-05T00:00:00Z",
    ]
    assert asked[-1].url.params["ending_at"] == "2026-06-02T00:00:00Z"
    assert asked[0].url.params.get_list("group_by[]") == ["actor", "api_key_id", "organization_id"]
    assert "organization_ids[]" not in asked[0].url.params, "what is no child organization matches nothing there"
    assert asked[0].headers["anthropic-beta"] == "analytics-usage-cost-2026-08-24"


@pytest.mark.parametrize(
    ("message", "left"),
    [
        (TOO_RECENT, Span(date(2026, 3, 1), date(2026, 5, 30))),
        ("Nothing before 2026-07-01.", None),
        ("No.", None),
    ],
)
def test_the_latest_day_is_read_from_the_refusal(message: str, left: Span | None):
    assert latest_day_named(message, Span(date(2026, 3, 1), date(2026, 6, 1))) == left


def test_a_usage_list_that_contradicts_itself_fails_like_any_other(nights: Start):
    api = company(analytics_usage=[])
    api.says["analytics/usage"] = lambda _: page(NEWER, has_more=True)
    reason = nights(api).observe().manifest.lists["analytics_usage"].reason
    assert "usage by actor and key contradicts itself: it says has_more but gives no next" in str(reason)


def test_a_day_of_tens_of_thousands_of_keys_in_one_page_is_read(nights: Start):
    """A page beyond what DuckDB takes for a JSON line by itself (32 MB)."""
    row = {"api_key_id": "apikey_0001", "account_id": None, "padding": "x" * 50_000}
    api = company(messages_usage=[{"starting_at": "2026-05-31T00:00:00Z", "results": [row] * 700}], claude_code=[])
    assert nights(api).night()["apikey_0001"]["last_used_source"] == "messages_usage"
