"""What the wire does: answers that drip, hang or burst, limits that are shared, and the time that an answer tells."""

import gzip
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assets.errors import ListFailed
from assets.extraction import bodies, patience
from assets.extraction import client as client_module
from assets.extraction.answers import NotAvailable
from assets.extraction.client import Client
from sandbox import Clock, Fault, FaultPlan, Options, Organization, RateLimit, RetryAfter, create_app, serving
from tests.scripted import KEY, Handler, error, page, user

ME = "/v1/organizations/me"
NOW = datetime(2026, 6, 2, 2, tzinfo=UTC)
COMPANY = Organization("wire", 20, 5)


def ask(client: Client, seconds: float = 300) -> bytes:
    return client.get(ME, {}, {}, deadline=time.monotonic() + seconds).body


@contextmanager
def sandbox(*, stopwatch: Callable[[], float] | None = None, **options: Any) -> Iterator[Client]:
    app = create_app(COMPANY, clock=Clock(NOW).now, options=Options(**options), stopwatch=stopwatch)
    with serving(app) as url, Client(url, KEY) as client:
        yield client


def against(handler: Handler) -> Client:
    return Client("https://api.test", KEY, transport=httpx.MockTransport(handler))


def answered(*answers: httpx.Response) -> tuple[Client, respx.Route]:
    """A client whose questions are answered so, one after the other, and what was asked."""
    router = respx.Router()
    return against(router.handler), router.route().mock(side_effect=answers)


def faulty(fault: Fault, every: int = 1) -> FaultPlan:
    """Slow ones would come to a good answer, but only after a minute."""
    return FaultPlan(every=every, faults=(fault,), drip_seconds=0.02)


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.SLOW_HEADERS, Fault.SLOW_BODY])
def test_the_deadline_holds_for_silence_and_for_headers_and_bodies_that_drip(fault: Fault):
    with sandbox(fault_plan=faulty(fault)) as client, pytest.raises(ListFailed, match=r"failed once .*: time-out \("):
        ask(client, seconds=0.3)


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.SLOW_HEADERS, Fault.SLOW_BODY])
def test_an_answer_that_drips_does_not_take_the_time_of_the_next_try(fault: Fault, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client_module, "ATTEMPT_SECONDS", 0.3)
    with sandbox(fault_plan=faulty(fault, every=2)) as client:
        assert b"organization" in ask(client)
        assert b"organization" in ask(client), "the second try of the second question"


def test_a_small_body_that_unpacks_to_a_gigabyte_is_a_sentence_and_takes_no_memory():
    with sandbox(fault_plan=faulty(Fault.BOMB)) as client:
        tracemalloc.start()
        try:
            with pytest.raises(ListFailed, match=r"its body has more than 256 MiB\. Nothing was taken for data"):
                ask(client)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert most < 1.5 * bodies.BOUND


def packed(body: bytes, encoding: str = "gzip", status: int = 200) -> httpx.Response:
    headers = {"content-type": "application/json", "content-encoding": encoding}
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


WHOLE = page([user(1), user(2)], last_id="user_0002").content


def test_a_packed_body_is_unpacked_and_no_other_packing_is_asked_for():
    client, route = answered(packed(gzip.compress(WHOLE)))
    assert ask(client) == WHOLE
    assert route.calls.last.request.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("padding", [b"", b"\0" * 512])
@pytest.mark.parametrize("at", [1, 100, len(WHOLE) - 1])
@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_a_packed_body_may_come_in_members(at: int, chunk: int, padding: bytes):
    body = gzip.compress(WHOLE[:at]) + padding + gzip.compress(WHOLE[at:]) + padding
    pieces = (body[start : start + chunk] for start in range(0, len(body), chunk))
    answer = httpx.Response(200, headers=packed(b"").headers, content=pieces)
    assert ask(against(lambda _: answer)) == WHOLE


@pytest.mark.parametrize(
    "damaged",
    [gzip.compress(WHOLE)[:-9], gzip.compress(WHOLE)[:20], b"", b"no gzip at all"],
    ids=["without its end", "its beginning", "nothing", "no gzip"],
)
def test_a_packed_body_that_is_cut_or_damaged_is_asked_for_again(damaged: bytes):
    answers = iter([packed(damaged), packed(damaged), packed(gzip.compress(WHOLE))])
    assert ask(against(lambda _: next(answers))) == WHOLE


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip, br", "aes128gcm"])
def test_a_packing_that_was_not_asked_for_is_a_sentence_but_hides_no_status(encoding: str):
    with pytest.raises(ListFailed, match=f"its body is encoded as {encoding}, which was not asked for"):
        ask(against(lambda _: packed(WHOLE, encoding)))
    with pytest.raises(NotAvailable, match="HTTP 403"):
        ask(against(lambda _: packed(WHOLE, encoding, 403)))


def test_a_large_page_within_the_bound_is_taken(monkeypatch: pytest.MonkeyPatch):
    body = b'"' + b"x" * 3_000_000 + b'"'
    assert ask(against(lambda _: packed(gzip.compress(body)))) == body
    monkeypatch.setattr(bodies, "BOUND", 2_999_999)
    halves = gzip.compress(body[:1_500_000]) + gzip.compress(body[1_500_000:])
    for answer in (packed(gzip.compress(body)), packed(halves), packed(body, "identity")):
        with pytest.raises(ListFailed, match="has more than"):
            ask(against(lambda _, answer=answer: answer))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("Mon, 01 Jun 2026 12:00:00 GMT", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("Mon, 01 Jun 2026 14:00:00 +0200", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("Mon, 01 Jun 2026 12:00:00 -0000", None),
        ("yesterday", None),
        ("", None),
        (" ", None),
        ("Mon, 01 Jun 99999 12:00:00 GMT", None),
    ],
)
def test_the_servers_time_is_that_of_its_latest_answer(date: str, told: datetime | None):
    dates = ("Mon, 02 Feb 2026 12:00:00 GMT", date)
    client, _ = answered(*(httpx.Response(200, json={}, headers={"date": day}) for day in dates))
    assert client.server_time is None
    for _ in range(2):
        ask(client)
    assert client.server_time == told


def test_a_strangers_page_tells_no_server_time():
    client, _ = answered(
        error(403, date="Mon, 01 Jun 2026 12:00:00 GMT"),
        httpx.Response(200, html="<h1>Log in</h1>", headers={"date": "Tue, 01 Jan 2019 00:00:00 GMT"}),
    )
    with pytest.raises(NotAvailable):
        ask(client)
    with pytest.raises(ListFailed):
        ask(client)
    assert client.server_time == datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_the_sandbox_tells_its_own_time_unless_it_is_not_to():
    with sandbox() as client:
        ask(client)
        assert client.server_time == NOW
    with sandbox(tells_time=False) as client:
        ask(client)
        assert client.server_time is None


class Minutes:
    """Time that passes by waiting alone, and by nothing else."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> Minutes:
    passing = Minutes()
    monkeypatch.setattr(patience, "monotonic", passing.now)
    monkeypatch.setattr(patience, "sleep", passing.sleep)
    return passing


@pytest.mark.parametrize("asked_for", [27, 29.9])
def test_what_chance_adds_to_a_wait_leaves_time_to_ask(
    minutes: Minutes, monkeypatch: pytest.MonkeyPatch, asked_for: float
):
    monkeypatch.setattr("random.uniform", lambda least, most: most)
    client, _ = answered(error(429, retry_after=str(asked_for)), httpx.Response(200, json={"id": "org_1"}))
    assert b"org_1" in client.get(ME, {}, {}, deadline=minutes.now() + 30).body


class Counted:
    """An app, and how often it answered with which status."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.statuses = app, Counter[int]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses[message["status"]] += 1
            await send(message)

        await self.app(scope, receive, counting)


def walked(requests: int, limit: RateLimit, minutes: Minutes) -> tuple[Counter[int], float]:
    """The statuses of so many questions under a limit, and the seconds that they took."""
    app = Counted(create_app(COMPANY, clock=Clock(NOW).now, options=Options(rate_limit=limit), stopwatch=minutes.now))
    started = minutes.seconds
    with serving(app) as url, Client(url, KEY) as client:
        for _ in range(requests):
            client.get(ME, {}, {}, deadline=minutes.seconds + 300)
    return app.statuses, minutes.seconds - started


@pytest.mark.slow
@pytest.mark.parametrize("retry_after", RetryAfter)
def test_a_hundred_and_ninety_questions_at_sixty_a_minute_get_through(minutes: Minutes, retry_after: RetryAfter):
    statuses, seconds = walked(190, RateLimit(requests=60, retry_after=retry_after), minutes)
    assert statuses[200] == 190
    assert statuses[429] <= 3 * 9, "each of the three waits for a new minute has its own growing waits"
    assert 180 <= seconds < 360


def test_where_the_limit_is_told_nobody_runs_into_it_and_nobody_waits_below_it(minutes: Minutes):
    statuses, seconds = walked(60, RateLimit(requests=60, told=True), minutes)
    assert (statuses, seconds) == ({200: 60}, 0)
    statuses, seconds = walked(190, RateLimit(requests=60, told=True), minutes)
    assert statuses == {200: 190}
    assert 180 <= seconds < 240


def test_a_server_that_names_its_limit_alone_is_asked_so_often_a_minute(minutes: Minutes):
    asked: list[float] = []

    def handler(_: httpx.Request) -> httpx.Response:
        asked.append(minutes.seconds)
        return httpx.Response(200, json={}, headers={"anthropic-ratelimit-requests-limit": "60"})

    client = against(handler)
    for _ in range(190):
        client.get(ME, {}, {}, deadline=minutes.seconds + 300)
    assert max(sum(1 for other in asked if 0 <= other - at < 60) for at in asked) == 60
    assert 180 <= asked[-1] - asked[0] < 240


@pytest.mark.parametrize(
    "senseless",
    [
        {"limit": "0"},
        {"limit": "many", "remaining": "none", "reset": "soon"},
        {"remaining": "0"},
        {"remaining": "0", "reset": "2026-06-01T11:00:00Z"},
        {"remaining": "-1", "reset": "2026-06-01T12:00:30Z"},
        {"limit": "60", "remaining": "0", "reset": "2026-06-01T13:00:00Z"},
    ],
)
def test_what_a_limit_says_that_makes_no_sense_or_lasts_too_long_stops_nobody(
    minutes: Minutes, senseless: dict[str, str]
):
    headers = {f"anthropic-ratelimit-requests-{name}": value for name, value in senseless.items()}
    headers["date"] = "Mon, 01 Jun 2026 12:00:00 GMT"
    client, started = against(lambda _: httpx.Response(200, json={}, headers=headers)), minutes.seconds
    for _ in range(3):
        client.get(ME, {}, {}, deadline=minutes.seconds + 300)
    assert minutes.seconds == started


def test_after_a_429_nobody_else_asks_earlier_either(monkeypatch: pytest.MonkeyPatch):
    asleep, go_on, waits = threading.Event(), threading.Event(), dict[int, float]()
    ours = threading.get_ident()

    def sleep(seconds: float) -> None:
        waits[threading.get_ident()] = seconds
        if threading.get_ident() != ours:
            asleep.set()
            go_on.wait(10)

    monkeypatch.setattr(patience, "sleep", sleep)
    client, _ = answered(error(429, retry_after="30"), page([]), page([]))
    with client, ThreadPoolExecutor(1) as pool:
        other = pool.submit(ask, client)
        assert asleep.wait(10)
        ask(client)
        go_on.set()
        other.result()
    assert len(waits) == 2
    assert all(25 < seconds < 40 for seconds in waits.values())


def test_what_is_left_is_shared_with_the_questions_under_way(monkeypatch: pytest.MonkeyPatch):
    """The server may not have counted them yet when it says that one more is left."""
    under_way, go_on, waits = threading.Event(), threading.Event(), list[float]()
    left = {
        "date": "Mon, 01 Jun 2026 12:00:00 GMT",
        "anthropic-ratelimit-requests-remaining": "1",
        "anthropic-ratelimit-requests-reset": "2026-06-01T12:00:30Z",
    }

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/slow":
            under_way.set()
            go_on.wait(10)
            return page([])
        return httpx.Response(200, json={}, headers=left)

    monkeypatch.setattr(patience, "sleep", waits.append)
    with against(handler) as client, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.get, "/slow", {}, {}, deadline=time.monotonic() + 300)
        assert under_way.wait(10)
        ask(client)
        assert waits == []
        ask(client)
        go_on.set()
        slow.result()
    assert len(waits) == 1
    assert 25 < waits[0] < 40


def test_another_fault_than_a_429_keeps_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    monkeypatch.setattr(patience, "sleep", waits.append)
    client, _ = answered(error(503, retry_after="30"), page([]), page([]))
    with client:
        ask(client)
        ask(client)
    assert len(waits) == 1
