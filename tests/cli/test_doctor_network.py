"""The doctor on the way to the API: proxies, gateways, addresses, clocks; and that it asks what a night asks."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from assets.extraction import usage_calls
from pipelines.cli.doctor import organizations
from sandbox import Fault, FaultPlan, serving
from tests.cli.conftest import Check, serve
from tests.commandline import Operator
from tests.scripted import FEED, Handler, ScriptedApi, activity, api_key, as_app, error, used, user


def test_a_server_that_is_down_is_a_sentence(check: Check):
    with serve() as gone:
        pass
    said = check(ANTHROPIC_BASE_URL=gone)
    assert said.status == 1
    finding = said.about("problem", "organization")
    assert "refused" in finding
    assert "Check the network and ANTHROPIC_BASE_URL" in finding


def test_an_overloaded_server_is_a_sentence(check: Check):
    with serve(fault_plan=FaultPlan(every=1, faults=(Fault.OVERLOADED,))) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.status == 1
    finding = said.about("problem", "organization")
    assert "HTTP 529" in finding
    assert "request id req_" in finding


def test_a_minute_that_the_server_asks_for_is_not_waited(check: Check):
    api = ScriptedApi()
    api.says = {"me": lambda _: error(429, retry_after="60")}
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert "failed once" in said.about("problem", "organization")
    assert len(api.asked) == 1


def test_a_server_that_never_answers_is_given_up(check: Check, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(organizations, "PATIENCE_SECONDS", 0.2)
    with serve(latency_seconds=60) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.status == 1
    assert "time-out" in said.about("problem", "organization")


PAGE = "<html><body><h1>Please sign in</h1></body></html>"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_is_told_for_what_it_is(check: Check, status: int):
    with serving(as_app(lambda _: httpx.Response(status, html=PAGE))) as url:
        said = check(ANTHROPIC_BASE_URL=url, COLUMNS="400")
    assert said.status == 1
    finding = said.about("problem", "organization")
    assert f"HTTP {status}" in finding
    assert "gateway" in finding


@pytest.mark.parametrize("status", [200, 302, 403, 511])
def test_a_portal_is_told_for_what_it_is(check: Check, status: int):
    answer = httpx.Response(status, html=PAGE, headers={"location": "http://portal.example/"} if status == 302 else {})
    with serving(as_app(lambda _: answer)) as url:
        said = check(ANTHROPIC_BASE_URL=url, COLUMNS="400")
    assert said.status == 1
    assert "proxy" in said.about("problem", "organization")


@pytest.mark.parametrize("name", ["users", "invites"])
def test_a_gateway_in_front_of_one_list_is_told_with_what_it_costs(check: Check, name: str):
    api = ScriptedApi(users=[user(1)])
    api.says = {name: lambda _: httpx.Response(502, html=PAGE)}
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url, COLUMNS="400")
    assert said.status == 1
    costs = {"users": "the day would be missing", "invites": "published without it, and end with status 3"}
    assert costs[name] in said.about("problem", {"users": "members"}.get(name, name))


@contextmanager
def proxy(answer: bytes) -> Iterator[str]:
    """A proxy that says the same to everybody who wants to go through it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve_all() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve_all, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


OUTSIDE = {"ANTHROPIC_BASE_URL": "https://api.example.test", "LICENSES_NOW": "", "NO_PROXY": "", "no_proxy": ""}


def test_a_proxy_that_wants_a_password_is_told_for_what_it_is(check: Check):
    with proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as address:
        said = check(**OUTSIDE, HTTPS_PROXY=address, https_proxy=address, COLUMNS="400")
    assert said.status == 1
    finding = said.about("problem", "organization")
    assert "407" in finding
    assert "proxy" in finding


@pytest.mark.parametrize(
    "environment",
    [
        {"ALL_PROXY": "socks5://127.0.0.1:1", "all_proxy": "socks5://127.0.0.1:1"},
        {"SSL_CERT_FILE": "/nowhere/ca.pem"},
        {"HTTPS_PROXY": "http://[half", "https_proxy": "http://[half"},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_a_way_that_cannot_work_names_its_variable(check: Check, environment: dict[str, str]):
    said = check(**OUTSIDE, **environment, COLUMNS="400")
    assert said.status == 1
    assert next(iter(environment)) in said.about("problem", "key")
    assert "last nightly run" not in said.subjects("problem")


def test_an_address_that_ends_in_v1_is_understood_or_told(check: Check, url: str):
    said = check(ANTHROPIC_BASE_URL=f"{url}/v1")
    assert said.status == 0 or "/v1" in " ".join(said.subjects("problem")) + said.text


def by_a_clock(handler: Handler, ahead: timedelta) -> Handler:
    """The same answers from a server whose clock is ahead of this machine's."""

    def answer(request: httpx.Request) -> httpx.Response:
        given = handler(request)
        given.headers["date"] = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
        return given

    return answer


def on_the_same_day(span: timedelta) -> timedelta:
    """So far away from now, but on this side of midnight."""
    return span if (datetime.now(UTC) + span).date() == datetime.now(UTC).date() else -span


def test_a_clock_that_is_somewhat_wrong_is_a_note(check: Check):
    ahead = on_the_same_day(timedelta(minutes=2))
    with serving(as_app(by_a_clock(ScriptedApi(users=[user(1)]), ahead))) as url:
        said = check(ANTHROPIC_BASE_URL=url, LICENSES_NOW="", COLUMNS="400")
    assert said.status == 0
    assert "Set it (NTP)" in said.about("note", "clock")


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(days=-400)])
def test_a_clock_that_takes_another_day_for_today_is_a_problem(check: Check, ahead: timedelta):
    with serving(as_app(by_a_clock(ScriptedApi(users=[user(1)]), ahead))) as url:
        said = check(ANTHROPIC_BASE_URL=url, LICENSES_NOW="", COLUMNS="400")
    assert said.status == 1
    assert "this machine's clock stands at" in said.about("problem", "clock")


def test_a_clock_that_is_right_is_not_mentioned(check: Check):
    with serving(as_app(by_a_clock(ScriptedApi(users=[user(1)]), timedelta()))) as url:
        said = check(ANTHROPIC_BASE_URL=url, LICENSES_NOW="")
    assert said.status == 0
    assert "clock" not in said.subjects("note")


Question = tuple[str, tuple[tuple[str, str], ...]]


def first_questions(api: ScriptedApi) -> set[Question]:
    """What was asked, apart from later pages."""
    return {
        (request.url.path, tuple(sorted(request.url.params.multi_items())))
        for request in api.asked
        if not {"page", "after_id"} & set(request.url.params)
    }


def first_of_each(questions: set[Question]) -> set[Question]:
    """Of a report that is asked in several spans, the first one."""
    first: dict[tuple[str, ...], Question] = {}
    for path, params in sorted(questions):
        named = {name: value for name, value in params if not name.startswith(("starting", "ending"))}
        first.setdefault((path, repr(sorted(named.items()))), (path, params))
    return set(first.values())


@pytest.mark.slow
@pytest.mark.parametrize(("generation", "nights_before"), [("analytics_usage", 1), ("messages_usage", 1)])
def test_the_doctor_asks_just_what_a_night_asks(
    tmp_path: Path, home: Path, generation: str, nights_before: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(usage_calls, "MOST_RESULTS", 20)  # so that by the number of holders fewer days are asked for
    rows = {"analytics_usage": [used("2026-06-01", key="apikey_0001")], "messages_usage": []}[generation]
    feed = [activity(1, "2026-06-02T12:00:00Z", "claude_user_role_updated")]
    api = ScriptedApi(users=[user(1)], api_keys=[api_key(1)], activities=feed, **{generation: rows})
    with serving(as_app(api)) as url:
        operator = Operator(tmp_path, url, home=home)
        for ago in range(nights_before):
            assert operator.night(date(2026, 6, 1) - timedelta(days=ago)).status == 0
        api.asked.clear()
        operator("check", LICENSES_NOW="2026-06-03T02:00:00Z")
        checked = first_questions(api)
        api.asked.clear()
        assert operator.night(date(2026, 6, 2)).status == 0
        asked = first_questions(api)
    assert checked == first_of_each(asked)


def test_what_the_doctor_is_refused_it_asks_again_as_a_night_does(check: Check):
    api = ScriptedApi(users=[user(1)], activities=[], analytics_usage=[])
    refused = {"workspaces": "include_default", FEED: "organization_ids[]", "analytics/usage": "organization_id"}

    def refusing(parameter: str) -> Callable[[httpx.Request], httpx.Response]:
        def answer(request: httpx.Request) -> httpx.Response:
            asked = request.url.params
            if parameter in asked or parameter in asked.get_list("group_by[]"):
                return error(400, f"{parameter}: unknown")
            return api.answer(request)

        return answer

    api.says = {name: refusing(parameter) for name, parameter in refused.items()}
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    for subject in ("workspaces", "Activity Feed", "usage by actor and key"):
        assert said.about("ok", subject) == f"ok {subject}: answered."


def test_a_gap_proved_by_a_feed_that_hangs_is_given_up_in_time(check: Check, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(organizations, "PATIENCE_SECONDS", 0.2)
    with serve(latency_seconds=60) as url:
        assert check(ANTHROPIC_BASE_URL=url).status == 1
