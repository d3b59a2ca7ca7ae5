"""What was heard is not asked for again: after a failure, a kill, or a night in part, for as long as it stays true."""

import tracemalloc
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from assets.errors import ListFailed
from assets.extraction.api import ANALYTICS_USAGE, USERS
from assets.extraction.kept import Calls
from assets.extraction.landing import Observation, PageWriter, pages_file, read_pages, whole_observation
from assets.extraction.lists import Task, fetch_list
from assets.extraction.usage_calls import Span
from tests.scripted import (
    DAY,
    NEXT_NIGHT,
    Nights,
    ScriptedApi,
    activity,
    api_key,
    claude_code,
    error,
    invite,
    messages,
    page,
    person,
    used,
    user,
)

pytestmark = pytest.mark.slow

Start = Callable[..., Nights]
LATER = NEXT_NIGHT + timedelta(hours=1)


class Killed(BaseException):
    """The process ends here: nothing that would be done after it is done."""


def killing(_: httpx.Request) -> httpx.Response:
    raise Killed


def company() -> ScriptedApi:
    return ScriptedApi(
        users=[user(1), user(2)],
        api_keys=[api_key(1)],
        messages_usage=[messages("2026-05-20", {"api_key_id": "apikey_0001", "account_id": None})],
        claude_code=[claude_code("2026-04-02", type="user_actor", email_address="user1@acme.example")],
    )


def asked_since(api: ScriptedApi, place: int) -> Counter[str]:
    """How often each list was asked for since the `place`th question."""
    return Counter(request.url.path.removeprefix("/v1/organizations/") for request in api.asked[place:])


def resumed(made: Nights, at=LATER, day: date = DAY) -> tuple[Observation, Counter[str]]:
    place = len(made.api.asked)
    return made.observe(day, at, again=False), asked_since(made.api, place)


@pytest.mark.parametrize("failed", ["users", "api_keys"])
def test_half_a_roster_is_asked_for_anew_so_that_an_observation_is_of_one_moment(nights: Start, failed: str):
    """Who left between the two halves would else be neither in the roster nor among what happened since."""
    made = nights(company())
    made.api.says[failed] = lambda _: error(500)
    with pytest.raises(ListFailed):
        made.observe()
    made.api.says.clear()
    observation, asked = resumed(made)
    assert (asked["users"], asked["api_keys"]) == (1, 1)
    assert observation.manifest.observed_at == LATER


def test_invites_are_not_older_than_the_roster_beside_them(nights: Start):
    made = nights(company())
    made.api.says |= {name: lambda _: error(403) for name in ("api_keys", "workspaces")}
    made.observe()
    made.api.says.clear()
    observation, asked = resumed(made)
    assert asked["invites"] == asked["users"] == 1
    assert observation.manifest.observed_at == LATER


def test_the_two_lists_of_workspaces_are_of_one_attempt(nights: Start):
    """One that was deleted in between would be in the first alone, and taken for the default one."""
    made = nights(company())
    made.api.says["workspaces"] = lambda request: (
        made.api.answer(request) if "include_default" in str(request.url) else error(500)
    )
    first = made.observe()
    assert first.manifest.has("workspaces")
    made.api.says.clear()
    _, asked = resumed(made)
    assert asked["workspaces"] == 2


def test_a_feed_is_not_older_than_the_invites_that_it_explains(nights: Start):
    """An invite that was deleted in between is in neither, though it stood when the day ended."""
    api = company()
    api.lists |= {"invites": [invite(1)], "activities": []}
    made = nights(api)
    api.says["invites"] = lambda _: error(500)
    made.observe()
    api.says.clear()
    deleted = {"invite_id": "invite_0001", "invited_email": "guest1@acme.example", "role": "developer"}
    api.lists["invites"] = [invite(1, status="deleted")]
    api.lists["activities"] = [activity(1, "2026-06-02T02:30:00Z", "org_user_invite_deleted", **deleted)]
    observation, asked = resumed(made)
    assert asked["/v1/compliance/activities"] == 1
    made.derive(observation)
    assert "invite_0001" in made.rows()


def test_after_a_kill_the_lists_that_had_come_whole_are_taken_over(nights: Start):
    made = nights(company())
    made.api.says["usage_report/claude_code"] = killing
    with pytest.raises(Killed):
        made.observe()
    made.api.says.clear()
    observation, asked = resumed(made)
    assert not asked.keys() & {"users", "api_keys", "usage_report/messages"}
    assert asked["usage_report/claude_code"] == 90
    assert observation.manifest.whole
    assert sorted(path.name for path in observation.folder.iterdir()) == sorted(
        ["manifest.json", *(f"{name}.jsonl.zst" for name, one in observation.manifest.lists.items() if one.complete)]
    )


def test_the_day_is_judged_by_when_its_roster_was_read(nights: Start):
    made = nights(company())
    made.api.says["invites"] = lambda _: error(500)
    first = made.observe()
    made.api.says.clear()
    made.api.lists["users"].append(user(3))
    observation, _ = resumed(made)
    assert observation.manifest.observed_at == first.manifest.observed_at == NEXT_NIGHT
    third, asked = resumed(made, LATER + timedelta(hours=1))
    assert third.manifest.observed_at == NEXT_NIGHT
    assert "users" not in asked
    made.derive(third)
    assert made.facts().users == 2


def test_a_day_that_is_not_over_is_asked_anew_each_time(nights: Start):
    made = nights(company())
    evening = NEXT_NIGHT - timedelta(hours=8)
    made.observe(at=evening)
    _, asked = resumed(made, evening + timedelta(hours=1))
    assert asked["users"] == 1
    _, asked = resumed(made, NEXT_NIGHT)
    assert asked["users"] == 1


def test_what_was_asked_for_anew_takes_nothing_over(nights: Start):
    made = nights(company())
    made.observe()
    place = len(made.api.asked)
    made.observe(at=LATER, again=True)
    assert asked_since(made.api, place)["users"] == 1


def test_pages_that_are_no_longer_what_they_were_are_asked_for_again(nights: Start):
    made = nights(company())
    made.api.says["invites"] = lambda _: error(500)
    first = made.observe()
    made.api.says.clear()
    pages = first.pages("users")
    pages.write_bytes(pages.read_bytes()[:-9])
    observation, asked = resumed(made)
    assert (asked["users"], asked["api_keys"], asked["usage_report/messages"]) == (1, 1, 0)
    assert observation.manifest.whole


def test_a_report_of_many_calls_goes_on_where_it_broke_off(nights: Start):
    """Ninety calls of a day each, of which every attempt gets thirty: three nights' worth of patience, one report."""
    made = nights(company())
    left = [30]

    def thirty_at_a_time(request: httpx.Request) -> httpx.Response:
        left[0] -= 1
        return made.api.answer(request) if left[0] >= 0 else error(500)

    made.api.says["usage_report/claude_code"] = thirty_at_a_time
    assert not made.observe().manifest.has("claude_code")
    for attempt in range(1, 3):
        left[0] = 30
        observation, _ = resumed(made, NEXT_NIGHT + timedelta(hours=attempt))
    assert observation.manifest.whole
    outcome = observation.manifest.lists["claude_code"]
    assert (len(outcome.calls or []), outcome.rows, outcome.covers_from) == (90, 1, date(2026, 3, 4))
    made.derive(observation)
    assert str(made.rows()["user_0001"]["last_used_at"].date()) == "2026-04-02"
    assert not list(unfinished(made))


def test_the_next_days_night_goes_on_too_and_asks_anew_for_what_may_still_change(nights: Start):
    made = nights(company())
    made.api.says["usage_report/claude_code"] = lambda request: (
        error(500) if request.url.params["starting_at"] == "2026-06-01" else made.api.answer(request)
    )
    made.derive(made.observe())
    made.api.says.clear()
    place = len(made.api.asked)
    observation = made.observe(DAY + timedelta(days=1), again=False)
    days = sorted(
        request.url.params["starting_at"]
        for request in made.api.asked[place:]
        if request.url.path.endswith("claude_code")
    )
    assert days == [f"2026-05-{day}" for day in range(28, 32)] + ["2026-06-01", "2026-06-02"]
    assert (observation.manifest.lists["claude_code"].pages, observation.manifest.whole) == (90, True)


def test_a_calls_answer_is_too_old_after_three_days(nights: Start):
    made = nights(company())
    made.api.says["usage_report/claude_code"] = lambda request: (
        error(500) if request.url.params["starting_at"] == "2026-06-01" else made.api.answer(request)
    )
    made.observe()
    made.api.says.clear()
    _, asked = resumed(made, NEXT_NIGHT + timedelta(days=4), DAY + timedelta(days=4))
    assert asked["usage_report/claude_code"] == 90


def test_the_second_key_goes_on_with_what_it_had_heard(nights: Start):
    """The first may not read the report: what the second has kept does not look like a list that broke off."""
    first, second = company(), company()
    first.says["usage_report/claude_code"] = lambda _: error(403)
    first.says["analytics/usage"] = second.says["analytics/usage"] = lambda _: error(404)
    second.says |= {name: lambda _: error(403) for name in ("users", "api_keys")}
    second.says["usage_report/claude_code"] = lambda request: (
        error(500) if request.url.params["starting_at"] == "2026-06-01" else second.answer(request)
    )
    by_key = {"sk-ant-admin01-a": first, "sk-ant-admin01-b": second}
    made = nights(lambda request: by_key[request.headers["x-api-key"]](request), *by_key)
    assert not made.observe().manifest.has("claude_code")
    del second.says["usage_report/claude_code"]
    outcome = made.observe(at=LATER, again=False).manifest.lists["claude_code"]
    assert (outcome.complete, outcome.key) == (True, "KEY_2")


def test_the_message_report_is_asked_a_month_at_a_time_and_less_where_there_are_very_many(
    nights: Start, monkeypatch: pytest.MonkeyPatch
):
    made = nights(company())
    made.observe()
    limits = [r.url.params["limit"] for r in made.api.asked if r.url.path.endswith("usage_report/messages")]
    assert limits == ["31"] * 3
    monkeypatch.setattr("assets.extraction.usage_calls.MOST_RESULTS", 12)
    place = len(made.api.asked)
    made.observe(at=LATER)
    limits = [r.url.params["limit"] for r in made.api.asked[place:] if r.url.path.endswith("usage_report/messages")]
    assert limits == ["4"] * 3


def test_where_a_month_at_a_time_is_refused_it_is_a_day(nights: Start):
    made = nights(company())
    made.api.says["usage_report/messages"] = lambda request: (
        made.api.answer(request) if request.url.params["limit"] == "1" else error(400, "limit: too large")
    )
    observation = made.observe()
    made.derive(observation)
    assert str(made.rows()["apikey_0001"]["last_used_at"].date()) == "2026-05-20"


def test_a_whole_observation_is_one_of_a_day_that_was_over_with_nothing_missing(nights: Start):
    made = nights(company())
    made.observe(at=NEXT_NIGHT - timedelta(hours=8))
    assert whole_observation(made.data, "org_1", DAY) is None
    made.api.says["invites"] = lambda _: error(500)
    made.observe()
    assert whole_observation(made.data, "org_1", DAY) is None
    made.api.says.clear()
    whole, _ = resumed(made)
    assert whole_observation(made.data, "org_1", DAY) == whole


def test_a_list_taken_over_is_the_same_in_every_byte(nights: Start):
    made = nights(company())
    made.api.says["invites"] = lambda _: error(500)
    first = made.observe()
    made.api.says.clear()
    second, _ = resumed(made)
    assert second.pages("users").read_bytes() == first.pages("users").read_bytes()
    assert second.folder != first.folder


def test_a_list_taken_over_takes_no_more_room(nights: Start):
    made = nights(company())
    made.api.says["invites"] = lambda _: error(500)
    first = made.observe()
    made.api.says.clear()
    second, _ = resumed(made)
    assert second.pages("users").samefile(first.pages("users"))


def test_what_is_asked_for_anew_leaves_the_earlier_pages_as_they_are(nights: Start, tmp_path: Path):
    made = nights(company())
    first = made.observe()
    before = first.pages("users").read_bytes()
    task = Task(made.access(), DAY, NEXT_NIGHT, tmp_path)
    pages_file(tmp_path, "users").hardlink_to(first.pages("users"))
    made.api.lists["users"].append(user(9))
    assert fetch_list(task, USERS).rows == 3
    assert first.pages("users").read_bytes() == before


def test_a_calls_answer_is_not_held_in_memory(nights: Start, tmp_path: Path):
    made = nights(company())
    calls = Calls.of(made.data, "org_1", DAY, NEXT_NIGHT, anew=False)
    month = Span(date(2026, 3, 1), date(2026, 3, 31))
    with (
        PageWriter(tmp_path / "pages.zst") as pages,
        calls.keeping(ANALYTICS_USAGE, month, "wished", pages) as kept,
    ):
        for _ in range(200):
            kept.write(bytes(100_000))
    tracemalloc.start()
    try:
        recalled = calls.recall(ANALYTICS_USAGE, month, "wished")
        assert recalled
        assert sum(len(body) for body in read_pages(recalled)) > 20_000_000
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_the_attempt_that_was_killed_between_its_two_last_steps_is_whole_all_the_same(
    nights: Start, monkeypatch: pytest.MonkeyPatch
):
    """The notes on single lists go only once the manifest says what they said."""
    made = nights(company())

    def killed(folder: Path) -> None:
        raise Killed

    monkeypatch.setattr("assets.extraction.observe.drop_outcomes", killed)
    with pytest.raises(Killed):
        made.observe()
    assert whole_observation(made.data, "org_1", DAY)


def test_all_keys_of_an_organization_stand_in_its_manifest_be_they_of_use_or_not(nights: Start):
    first, second = company(), company()
    second.says |= {name: lambda _: error(403) for name in ("users", "api_keys")}
    by_key = {"sk-ant-admin01-a": first, "sk-ant-admin01-b": second}
    made = nights(lambda request: by_key[request.headers["x-api-key"]](request), *by_key)
    assert made.observe().manifest.keys == ["KEY_1", "KEY_2"]


def unfinished(made: Nights) -> list[Path]:
    return [path for path in (made.data.root / "landing" / "org_1" / "unfinished").rglob("*") if path.is_file()]


def test_a_walk_that_is_started_over_keeps_no_page_of_the_first(nights: Start):
    made = nights(company())
    turns = iter(range(100))

    def moving(request: httpx.Request) -> httpx.Response:
        return page([user(1), user(1, role="admin")]) if next(turns) == 0 else page([user(7)])

    made.api.says["users"] = moving
    observation = made.observe()
    made.derive(observation)
    assert "user_0007" in made.rows()
    assert "user_0001" not in made.rows()


def test_use_that_the_newer_report_told_before_it_failed_is_not_lost(nights: Start):
    api = company()
    api.lists["analytics_usage"] = [used("2026-05-20", actor=person("user_0001"), key="apikey_0001")]
    made = nights(api)
    made.night()
    api.says["analytics/usage"] = lambda _: error(500)
    row = made.night(DAY + timedelta(days=1))["user_0001"]
    assert str(row["last_used_at"].date()) == "2026-05-20"
