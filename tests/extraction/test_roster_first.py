"""The roster comes first: whatever becomes of another list is said, and members and keys are published all the same."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from assets.errors import LicenseHistoryError
from assets.extraction.lists import Task
from assets.extraction.observe import probe
from sandbox import serving
from tests.commandline import Operator
from tests.scripted import (
    DAY,
    FEED,
    NEXT_NIGHT,
    Handler,
    Nights,
    ScriptedApi,
    api_key,
    as_app,
    error,
    invite,
    page,
    person,
    used,
    user,
    workspace,
)

Start = Callable[..., Nights]
NEXT = DAY + timedelta(days=1)

OTHERS = {
    "invites": "invites",
    "workspaces": "workspaces",
    "analytics/usage": "analytics_usage",
    "analytics/users": "analytics_users",
    FEED: "activities",
}


def company() -> ScriptedApi:
    return ScriptedApi(
        users=[user(1), user(2)],
        api_keys=[api_key(1)],
        invites=[invite(1)],
        workspaces=[workspace(1)],
        analytics_usage=[used("2026-05-20", actor=person("user_0001"), key="apikey_0001")],
        analytics_users=[],
        activities=[],
    )


def broken_off(api: ScriptedApi, path: str) -> Handler:
    """The first page, which goes on, and then nothing but faults."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return page([], has_more=True, last_id="x", next_page="x") if len(asked) == 1 else error(500)

    return answer


FAULTS: dict[str, Callable[[ScriptedApi, str], Handler]] = {
    "401 for this list alone": lambda api, path: lambda _: error(401),
    "500 without end": lambda api, path: lambda _: error(500),
    "no JSON of its shape": lambda api, path: lambda _: httpx.Response(200, json={"data": "none", "has_more": False}),
    "nesting beyond any reader": lambda api, path: (
        lambda _: httpx.Response(
            200,
            content=b'{"data": [], "has_more": false, "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
            headers={"content-type": "application/json"},
        )
    ),
    "a contradiction": lambda api, path: lambda _: page([], has_more=True),
    "broken off in the middle": broken_off,
}


@pytest.mark.slow
@pytest.mark.parametrize("path", OTHERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_list_that_fails_is_not_read_and_costs_no_other(nights: Start, path: str, fault: str):
    api = company()
    made = nights(api)
    api.says[path] = FAULTS[fault](api, path)
    observation = made.observe()
    manifest = observation.manifest
    not_read = {name for name, outcome in manifest.lists.items() if outcome.state.value == "not read"}
    assert not_read - {"workspaces_listed"} == {OTHERS[path]}
    assert (manifest.complete, manifest.whole) == (True, False)
    told = next(sentence for sentence in manifest.missing if ": not read: " in sentence)
    assert told.startswith("Acme (org_1), 2026-06-01: ")
    assert told.endswith("the next run asks again.")
    made.derive(observation)
    assert made.facts().users == 2
    assert made.facts().invites == (None if path == "invites" else 1)
    assert "unforeseen" not in told


@pytest.mark.slow
@pytest.mark.parametrize("path", ["analytics/usage", "analytics/users"])
def test_a_report_that_failed_has_covered_nothing_so_the_next_night_asks_from_where_it_stood(nights: Start, path: str):
    api = company()
    made = nights(api)
    made.night()
    known = made.rows()["user_0001"]["last_used_at"]
    api.says[path] = lambda _: error(500)
    assert made.night(NEXT)["user_0001"]["last_used_at"] == known
    assert OTHERS[path] not in {endpoint for endpoint, *_ in made.coverage(NEXT)}
    api.says.clear()
    api.lists["analytics_usage"].append(used(str(NEXT), actor=person("user_0002"), key="apikey_0001"))
    assert str(made.night(NEXT + timedelta(days=1))["user_0002"]["last_used_at"].date()) == str(NEXT)


@pytest.mark.parametrize("essential", ["users", "api_keys"])
@pytest.mark.parametrize("fault", FAULTS)
def test_members_and_keys_are_essential_and_nothing_else_is_asked_without_them(
    nights: Start, essential: str, fault: str
):
    api = company()
    made = nights(api)
    api.says[essential] = FAULTS[fault](api, essential)
    with pytest.raises(LicenseHistoryError):
        made.observe()
    assert not made.manifest()["complete"]
    asked = {request.url.path.removeprefix("/v1/organizations/") for request in api.asked}
    assert asked <= {"me", "users", "api_keys"}


def test_a_fault_of_our_own_in_one_list_is_told_as_one_and_stays_there(nights: Start, monkeypatch: pytest.MonkeyPatch):
    api = company()

    def unforeseen(request: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError("a bug")

    api.says["invites"] = unforeseen
    made = nights(api)
    (told,) = made.observe().manifest.missing
    assert "invites: not read: this should not have happened (ZeroDivisionError: a bug); please report it." in told


def test_what_was_readable_and_is_refused_now_is_told_once_with_its_day(nights: Start):
    made = nights(company())
    made.night()
    made.api.says["invites"] = lambda _: error(403, "no longer")
    (told,) = made.observe(NEXT).manifest.missing
    assert told == (
        "Acme (org_1), 2026-06-02: invites: could be read on 2026-06-01, and the key is refused now: HTTP 403, "
        "permission_error: no longer, request id req_42. The pending invites of this day are unknown, not none; the "
        "next run asks again."
    )
    assert made.observe(NEXT + timedelta(days=1)).manifest.missing == []


def test_workspaces_that_were_readable_and_are_not_to_be_had_now_are_told(nights: Start):
    made = nights(company())
    made.night()
    made.api.says["workspaces"] = lambda _: error(400, "organization_type_not_supported")
    (told,) = made.observe(NEXT).manifest.missing
    assert "workspaces: could be read on 2026-06-01, and the key is refused now: " in told
    assert "organization_type_not_supported" in told


def test_a_failure_in_between_does_not_hide_that_a_list_was_readable(nights: Start):
    made = nights(company())
    made.night()
    made.api.says["invites"] = lambda _: error(500)
    made.observe(NEXT)
    made.api.says["invites"] = lambda _: error(403)
    (told,) = made.observe(NEXT + timedelta(days=1)).manifest.missing
    assert "could be read on 2026-06-01" in told


def test_a_report_whose_use_another_tells_in_its_place_is_not_missed(nights: Start):
    made = nights(company())
    made.night()
    api = made.api
    del api.lists["analytics_usage"]
    api.lists |= {"messages_usage": [], "claude_code": []}
    assert made.observe(NEXT).manifest.missing == []
    del api.lists["claude_code"]
    (told,) = made.observe(NEXT + timedelta(days=1)).manifest.missing
    assert "Claude Code usage: could be read on 2026-06-02" in told


def test_a_probe_tries_every_list_as_the_night_asks_it_and_raises_nothing(nights: Start, tmp_path: Path):
    api = company()
    api.page_size = 1
    api.says["invites"] = lambda _: error(500)
    api.says["api_keys"] = lambda _: error(403)
    made = nights(api)
    outcomes = probe(Task(made.access(), DAY, NEXT_NIGHT, tmp_path))
    assert {name: outcome.state.value for name, outcome in outcomes.items()} == {
        "users": "complete",
        "api_keys": "not available",
        "invites": "not read",
        "workspaces": "complete",
        "workspaces_listed": "complete",
        "analytics_usage": "complete",
        "analytics_users": "complete",
        "activities": "complete",
    }
    assert outcomes["users"].pages == 1
    assert len([request for request in api.asked if request.url.path.endswith("/users")]) <= 3


class Company(Operator):
    api: ScriptedApi


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Company]:
    api = company()
    with serving(as_app(api)) as url:
        made = Company(tmp_path_factory.mktemp("company"), url, home=home)
        made.api = api
        yield made


@pytest.mark.slow
def test_a_night_without_usage_is_published_says_what_it_lacks_and_heals(served: Company):
    """The whole way: status 3 and a sentence, the same again, and 0 once the list can be read; the roster is kept."""
    served.api.says["analytics/usage"] = lambda _: error(503)
    first = served.night(DAY)
    assert first.status == 3
    assert "2026-06-01: usage by actor and key: not read: GET /v1/organizations/analytics/usage failed" in first.err
    assert "Last use is as it was known before; the next run asks again." in first.err
    assert served.ask("select count(*) filter (where holder_type = 'user') from license_assignments") == [(2,)]

    served.api.lists["users"].append(user(3, added_at="2026-06-02T02:30:00Z"))
    again = served.at(NEXT_NIGHT + timedelta(hours=1), DAY)
    assert again.status == 3

    served.api.says.clear()
    asked = len(served.api.asked)
    healed = served.at(NEXT_NIGHT + timedelta(hours=2), DAY)
    assert (healed.status, healed.err) == (0, "")
    paths = {request.url.path.removeprefix("/v1/organizations/") for request in served.api.asked[asked:]}
    assert paths == {"me", "analytics/usage"}
    assert served.ask(
        "select holder_id, last_used_at::date::varchar from license_assignments where holder_type = 'user' order by all"
    ) == [("user_0001", "2026-05-20"), ("user_0002", None)]

    asked = len(served.api.asked)
    done = served.at(NEXT_NIGHT + timedelta(hours=3), DAY)
    assert done.status == 0
    assert len(served.api.asked) <= asked + 1


@pytest.mark.slow
def test_a_roster_that_was_readable_yesterday_and_is_refused_today_is_status_3(served: Company):
    served.api.says["api_keys"] = lambda _: error(403)
    refused = served.night(NEXT)
    assert refused.status == 3
    assert "API keys: could be read on 2026-06-01, and the key is refused now: HTTP 403" in refused.err
    (log,) = served.ask(f"select users, api_keys from snapshot_log where snapshot_date = '{NEXT}'")
    assert log == (3, None)
