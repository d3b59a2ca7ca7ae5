"""How far a report's data reached is what is covered, however far was asked; where it stood still it is asked again."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from assets.extraction.coverage import covered_to, spoke_to
from assets.layout import usage_file
from tests.scripted import (
    DAY,
    NEXT_NIGHT,
    Nights,
    Row,
    ScriptedApi,
    api_key,
    claude_code,
    error,
    messages,
    page,
    person,
    used,
    user,
)

pytestmark = pytest.mark.slow

Start = Callable[..., Nights]
BY_KEY = {"api_key_id": "apikey_0001", "account_id": None}


def company(**usage: list[Row]) -> ScriptedApi:
    return ScriptedApi(users=[user(1)], api_keys=[api_key(1)], **usage)


def told(made: Nights, name: str, day: date = DAY) -> tuple[str, str, str | None]:
    """Asked from, asked to, reached."""
    outcome = made.manifest(day)["lists"][name]
    return outcome["covers_from"], outcome["covers_to"], outcome["reached"]


def on(days: int) -> date:
    return DAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("refreshed", "reached"),
    [
        ("2026-06-02T00:00:00Z", "2026-06-01"),
        ("2026-06-01T23:59:59Z", "2026-05-31"),
        ("2026-05-20T06:00:00Z", "2026-05-19"),
        ("2026-05-20T02:00:00+06:00", "2026-05-18"),
        ("2026-03-04T12:00:00Z", None),
    ],
)
def test_a_report_that_says_when_it_was_refreshed_reached_the_last_day_that_was_over_then(
    nights: Start, refreshed: str, reached: str | None
):
    api = company(analytics_usage=[used("2026-05-18", key="apikey_0001")])
    api.refreshed_at = refreshed
    made = nights(api)
    made.night()
    assert told(made, "analytics_usage") == ("2026-03-04", "2026-06-01", reached)
    assert {row[4] for row in made.coverage()} == ({reached} if reached else set())


def test_the_oldest_refreshment_of_a_calls_pages_counts_and_the_first_call_that_fell_short(nights: Start):
    """Calls of 31 days: 03-04 to 04-03, 04-04 to 05-04, 05-05 to 06-01; each of two pages."""
    refreshed = iter(["2026-06-02", "2026-06-02", "2026-05-01", "2026-04-20", "2026-06-02", "2026-06-02"])
    api = company()
    api.says["analytics/usage"] = lambda request: page(
        [],
        has_more="page" not in request.url.params,
        next_page="page_1" if "page" not in request.url.params else None,
        data_refreshed_at=f"{next(refreshed)}T00:00:00Z",
    )
    made = nights(api)
    made.night()
    assert told(made, "analytics_usage")[2] == "2026-04-19"
    assert made.manifest()["lists"]["analytics_usage"]["refreshed_at"] == "2026-04-20T00:00:00Z"


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("analytics_usage", [used("2026-05-18", key="apikey_0001"), used("2026-05-17")]),
        ("messages_usage", [messages("2026-05-18", BY_KEY)]),
        ("claude_code", [claude_code("2026-05-18", type="api_actor", api_key_name="Key 1")]),
    ],
)
def test_a_report_that_spoke_before_and_is_silent_about_everybody_since_reached_the_day_before_its_last_word(
    nights: Start, name: str, rows: list[Row]
):
    api = company(**{name: rows})
    api.refreshed_at = None
    made = nights(api)
    made.night()
    assert told(made, name) == ("2026-03-04", "2026-06-01", "2026-05-17")


@pytest.mark.parametrize("name", ["analytics_usage", "messages_usage", "claude_code"])
def test_a_report_that_never_said_a_word_is_taken_at_its_word_as_far_as_it_answered(nights: Start, name: str):
    api = company(**{name: []})
    api.refreshed_at = None
    made = nights(api)
    made.night()
    assert told(made, name) == ("2026-03-04", "2026-06-01", "2026-06-01")


def test_the_message_report_answered_as_far_as_its_last_bucket(nights: Start):
    api = company()
    api.says["usage_report/messages"] = lambda request: (
        page([messages("2026-05-19"), messages("2026-05-20")])
        if request.url.params["starting_at"] > "2026-05"
        else page([])
    )
    made = nights(api)
    made.night()
    assert told(made, "messages_usage")[2] == "2026-05-20"


def test_what_siblings_used_does_not_tell_that_the_report_goes_on(nights: Start):
    theirs = claude_code("2026-05-30", type="user_actor", email_address="a@b.example") | {"organization_id": "org_2"}
    ours = claude_code("2026-05-18", type="user_actor", email_address="user1@acme.example")
    made = nights(company(claude_code=[ours, theirs]))
    made.night()
    assert told(made, "claude_code")[2] == "2026-05-17"


@pytest.mark.parametrize(
    ("name", "at", "reached"),
    [
        ("claude_code", "00:59", "2026-05-31"),
        ("claude_code", "01:00", "2026-06-01"),
        ("messages_usage", "00:04", "2026-05-31"),
        ("messages_usage", "00:05", "2026-06-01"),
        ("analytics_usage", "00:00", "2026-06-01"),
    ],
)
def test_a_report_is_late_by_what_it_says_of_itself(nights: Start, name: str, at: str, reached: str):
    made = nights(company(**{name: []}))
    made.night(at=datetime.fromisoformat(f"2026-06-02T{at}:00Z"))
    assert told(made, name)[2] == reached


@pytest.mark.parametrize("name", ["analytics_usage", "messages_usage", "claude_code", "analytics_users"])
def test_a_day_that_is_not_over_is_not_reached(nights: Start, name: str):
    made = nights(company(**{name: []}))
    made.night(at=NEXT_NIGHT - timedelta(hours=10))
    assert told(made, name)[2] == "2026-05-31"
    assert {row[4] for row in made.coverage()} == {"2026-05-31"}
    assert not [row for row in made.rows().values() if row["usage_observed_until"] == DAY]


def test_a_report_that_stands_still_is_asked_from_where_it_stood_night_after_night_until_it_has_caught_up(
    nights: Start,
):
    api = company(messages_usage=[messages("2026-05-31", BY_KEY), messages("2026-06-01", BY_KEY)])
    made = nights(api)
    made.night()
    for late in range(1, 30):
        made.night(on(late))
        first = min(on(late) - timedelta(days=3), DAY)
        assert told(made, "messages_usage", on(late)) == (
            str(first),
            str(on(late)),
            "2026-05-31" if first < DAY else None,
        )
    assert made.rows(on(29))["apikey_0001"]["usage_observed_until"] is None
    api.lists["messages_usage"] += [messages(str(on(late)), BY_KEY) for late in range(1, 30)]
    made.night(on(30))
    assert told(made, "messages_usage", on(30)) == ("2026-06-01", "2026-07-01", "2026-06-29")
    assert made.rows(on(30))["apikey_0001"]["usage_observed_since"] == date(2026, 3, 4), "and nothing is missing"
    made.night(on(31))
    assert told(made, "messages_usage", on(31))[0] == "2026-06-29"


def test_what_earlier_nights_heard_is_a_word_spoken_before(nights: Start):
    """By itself the answer of the sixth night, in which nobody did anything, could be a report that never speaks."""
    api = company(analytics_usage=[used(str(DAY), key="apikey_0001")])
    api.refreshed_at = None
    made = nights(api)
    for late in range(7):
        made.night(on(late))
    assert told(made, "analytics_usage", on(6)) == ("2026-06-01", str(on(6)), None)
    assert made.rows(on(6))["apikey_0001"]["usage_observed_until"] is None


def test_the_day_on_which_a_report_began_to_stand_still_is_asked_for_again(nights: Start):
    """It spoke of that day, but not to its end."""
    api = company(messages_usage=[messages(str(DAY), {"api_key_id": "apikey_0002", "account_id": None})])
    made = nights(api)
    for late in range(6):
        made.night(on(late))
    api.lists["messages_usage"] = [messages(str(DAY), BY_KEY), messages(str(on(6)), BY_KEY)]
    made.night(on(6))
    assert ("apikey_0001", DAY) in {(row["holder_id"], row["usage_date"]) for row in made.usage(on(6))}


def test_an_endpoint_that_was_not_available_goes_on_from_where_it_stood(nights: Start):
    api = company(analytics_usage=[])
    made = nights(api)
    made.night()
    api.says["analytics/usage"] = lambda _: error(403)
    for late in range(1, 8):
        made.night(on(late))
    del api.says["analytics/usage"]
    made.night(on(8))
    assert told(made, "analytics_usage", on(8)) == ("2026-06-02", "2026-06-09", "2026-06-09")
    assert made.rows(on(8))["user_0001"]["usage_observed_since"] == date(2026, 3, 4)


def test_a_report_without_a_documented_bound_is_asked_at_most_ninety_days_back(nights: Start):
    """An organization that stopped using Claude Code must not cost a call more every night."""
    made = nights(company(claude_code=[claude_code("2026-05-31", type="user_actor", email_address="x@acme.example")]))
    made.night()
    made.night(on(120))
    assert told(made, "claude_code", on(120)) == (str(on(120) - timedelta(days=89)), str(on(120)), None)
    made.night(on(121))
    assert told(made, "claude_code", on(121))[0] == str(on(121) - timedelta(days=89))


@pytest.mark.parametrize("name", ["messages_usage", "claude_code", "analytics_users"])
def test_a_report_that_stood_still_from_the_first_night_on_is_asked_for_all_of_it_until_it_speaks(
    nights: Start, name: str
):
    made = nights(company(**{name: []}))
    made.night()
    made.night(on(5))
    assert told(made, name, on(5))[0] == str(on(5) - timedelta(days=30 if name == "analytics_users" else 89))


def test_enterprise_analytics_that_fall_silent_about_everybody_have_reached_the_day_before_their_last_word(
    nights: Start,
):
    made = nights(company(analytics_users=[active("user_0001", "2026-06-01")]))
    made.night()
    for late in range(1, 9):
        made.night(on(late))
    assert made.rows(on(8))["user_0001"]["usage_observed_until"] is None
    assert told(made, "analytics_users", on(8))[0] == "2026-06-01"


def test_the_newer_report_is_asked_a_year_back(nights: Start):
    api = company(analytics_usage=[])
    made = nights(api)
    made.night()
    made.night(on(200))
    assert told(made, "analytics_usage", on(200))[0] == "2026-06-02"


def test_coverage_of_an_older_version_is_still_read(nights: Start):
    """It has no `sees`, and what was asked for stands for what was reached."""
    made = nights(company(messages_usage=[], claude_code=[]))
    made.night()
    place = usage_file(made.data.coverage, DAY, "org_1")
    table = pq.ParquetFile(place).read()
    pq.write_table(table.drop_columns(["sees"]), place)
    assert covered_to(made.data, "org_1", on(1)) == {"messages_usage": DAY, "claude_code": DAY}
    snapshot = made.night(on(10))
    watched = ("last_used_state", "usage_observed_since")
    assert {id: tuple(str(row[name]) for name in watched) for id, row in snapshot.items()} == {
        "user_0001": ("not_seen", "None"),
        "apikey_0001": ("never_seen", "2026-03-04"),
    }


def test_the_last_word_of_earlier_nights_is_looked_for_however_long_ago(nights: Start):
    """Else a silence of a season would be taken for a report that never speaks, and for proof."""
    made = nights(company(messages_usage=[messages("2026-05-18", BY_KEY)], claude_code=[]))
    made.night()
    assert spoke_to(made.data, "org_1", on(1)) == {"messages_usage": date(2026, 5, 18)}
    assert spoke_to(made.data, "org_1", DAY) == {}
    assert spoke_to(made.data, "org_1", on(889)) == {"messages_usage": date(2026, 5, 18)}


def active(user_id: str, day: str | None = None) -> Row:
    return {"user": {"id": user_id, "email_address": None}} | ({"last_activity_date": day} if day else {})


def by_day(active_on: dict[str, list[str]], under: str = "data") -> Callable[[httpx.Request], httpx.Response]:
    """Enterprise analytics without last-activity reporting: who was active in the span asked for, not when."""

    def answer(request: httpx.Request) -> httpx.Response:
        first, after = request.url.params["starting_date"], request.url.params["ending_date"]
        rows = [active(id) for id, days in active_on.items() if any(first <= day < after for day in days)]
        token = int(request.url.params.get("page", 0))
        more = token + 1 < len(rows)
        return httpx.Response(
            200, json={under: rows[token : token + 1], "has_more": more, "next_page": str(token + 1) if more else None}
        )

    return answer


@pytest.mark.parametrize("under", ["data", "summaries"])
def test_rows_without_a_day_of_their_own_tell_of_the_day_asked_for(nights: Start, under: str):
    """While last-activity reporting is off a row is activity all the same; absence it is not."""
    api = ScriptedApi(users=[user(1), user(2), user(3)])
    api.says["analytics/users"] = by_day(
        {"user_0001": ["2026-05-10", "2026-05-20"], "user_0002": ["2026-05-20", "2026-05-29"]}, under
    )
    made = nights(api)
    snapshot = made.night()
    assert {id: (row["last_used_state"], str(row["last_used_at"])[:10]) for id, row in snapshot.items()} == {
        "user_0001": ("used", "2026-05-20"),
        "user_0002": ("used", "2026-05-29"),
        "user_0003": ("never_seen", "None"),
    }
    assert sorted((str(row["usage_date"]), row["holder_id"]) for row in made.usage()) == [
        ("2026-05-10", "user_0001"),
        ("2026-05-20", "user_0001"),
        ("2026-05-20", "user_0002"),
        ("2026-05-29", "user_0002"),
    ]
    outcome = made.manifest()["lists"]["analytics_users"]
    assert (outcome["pages"], len(outcome["calls"])) == (32, 31)
    assert {"first": "2026-05-20", "last": "2026-05-20", "pages": 2} in outcome["calls"]


def test_a_later_use_in_the_same_nights_hides_no_earlier_one(nights: Start):
    """Asked for several days at once, the endpoint tells of each person the last day alone."""
    active_on = {"user_0001": ["2026-05-29", "2026-05-31"]}
    api = ScriptedApi(users=[user(1)])

    def answer(request: httpx.Request) -> httpx.Response:
        first, after = request.url.params["starting_date"], request.url.params["ending_date"]
        rows = [
            active(id, max(within))
            for id, days in active_on.items()
            if (within := [d for d in days if first <= d < after])
        ]
        return httpx.Response(200, json={"data": rows, "has_more": False, "next_page": None})

    api.says["analytics/users"] = answer
    made = nights(api)
    made.night()
    assert {str(row["usage_date"]) for row in made.usage()} == {"2026-05-29", "2026-05-31"}


def test_an_older_landing_without_days_is_taken_for_the_first_day_asked_for(nights: Start):
    api = ScriptedApi(users=[user(1)])
    api.says["analytics/users"] = by_day({"user_0001": ["2026-05-20"]})
    made = nights(api)
    observation = made.observe()
    observation.manifest.lists["analytics_users"].calls = None
    made.derive(observation)
    assert {str(row["usage_date"]) for row in made.usage()} == {"2026-05-02"}


def test_a_list_under_neither_of_its_names_is_none(nights: Start):
    api = ScriptedApi(users=[user(1)])
    api.says["analytics/users"] = by_day({}, "rows")
    reason = nights(api).observe().manifest.lists["analytics_users"].reason
    assert reason.startswith("the list of Enterprise analytics has an unexpected shape: it has no data or summaries")


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("analytics_users", [{"user": None, "last_activity_date": "2026-05-20"}]),
        ("claude_code", [{"date": "2026-05-20T00:00:00Z"}]),
        ("messages_usage", [{"starting_at": "2026-05-20T00:00:00Z", "results": None}]),
        ("analytics_usage", [{"starting_at": "2026-05-20T00:00:00Z", "group": {}}]),
        ("analytics_usage", [used("2026-05-20", actor=person(None))]),
    ],
)
def test_what_the_reference_lets_be_null_or_missing_decodes(nights: Start, name: str, rows: list[Any]):
    made = nights(company(**{name: rows}))
    made.night()
    assert made.manifest()["lists"][name]["state"] == "complete"
    assert made.usage() == []
