"""What may pass is tried again, in time and with patience; what will not pass is not."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
import stamina

from assets.errors import AccessRefused, ListFailed
from assets.extraction import client as client_module
from assets.extraction import deadline, lists
from assets.extraction.client import Answer, Client, NotAvailable, Rejected
from pipelines.sandbox import Clock, Fault, FaultPlan, Options, Organization, create_app, serving
from tests.scripted import KEY, Handler, Nights, ScriptedApi, error, page, user


def ask(handler: Handler, seconds: float = 60) -> Answer:
    with Client("http://api.test", KEY, transport=httpx.MockTransport(handler)) as client:
        return client.get("/v1/organizations/users", {}, {}, deadline=time.monotonic() + seconds)


class Answers:
    """One after another, the last one again and again; counts how often it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.left, self.asked = list(answers), 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        answer = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Torn(httpx.SyncByteStream):
    """A body that ends in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"data": ['
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


PASSING = [
    error(429, "slow down", retry_after="0"),
    error(429, "slow down"),
    error(408, "Request timeout"),
    error(409, "Conflict"),
    error(400, "try that again", x_should_retry="true"),
    error(404, "not here yet", x_should_retry="true"),
    error(500, "Internal server error"),
    httpx.Response(502, html="<h1>Bad gateway</h1>"),
    error(503),
    error(504),
    error(529, "Overloaded"),
    httpx.ReadError("Connection reset by peer"),
    httpx.ConnectError("Connection refused"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
    httpx.ConnectTimeout("too late"),
    httpx.ReadTimeout("too late"),
    httpx.WriteTimeout("too late"),
    httpx.PoolTimeout("too late"),
]


@pytest.mark.parametrize("fault", PASSING, ids=repr)
def test_a_fault_that_passes_costs_nothing(fault: httpx.Response | Exception):
    answers = Answers(fault, fault, page([user(1)]))
    assert b"user_0001" in ask(answers).body
    assert answers.asked == 3


def test_a_body_that_breaks_off_is_asked_for_again():
    torn = [httpx.Response(200, headers={"content-type": "application/json"}, stream=Torn()) for _ in range(2)]
    assert b"user_0001" in ask(Answers(*torn, page([user(1)]))).body


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "limit: must be a number"), Rejected),
        (error(401), AccessRefused),
        (error(403), NotAvailable),
        (error(400, x_should_retry="false"), Rejected),
        (error(404), NotAvailable),
        (error(405), Rejected),
        (error(422), Rejected),
        (httpx.Response(302, headers={"location": "https://elsewhere.test"}), ListFailed),
        (httpx.Response(200, html="<h1>Log in</h1>"), ListFailed),
    ],
)
def test_nothing_else_is_tried_again(answer: httpx.Response, kind: type[Exception]):
    answers = Answers(answer)
    with pytest.raises(kind):
        ask(answers)
    assert answers.asked == 1


def test_a_fault_that_stays_fails_with_what_it_was_and_how_often():
    answers = Answers(error(529, "Overloaded"))
    with pytest.raises(ListFailed) as caught:
        ask(answers)
    assert str(caught.value) == (
        "GET /v1/organizations/users failed 8 times, at last with: HTTP 529, api_error: Overloaded, request id req_42"
    )
    assert answers.asked == 8


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (httpx.ReadTimeout("too late"), "time-out (ReadTimeout) from api.test"),
        (httpx.ConnectError("Connection refused"), "no whole answer from api.test: Connection refused"),
        (httpx.Response(502, html="<h1>Bad gateway</h1>"), "HTTP 502, no reason given"),
    ],
)
def test_a_fault_that_stays_is_told_in_words(fault: httpx.Response | Exception, words: str):
    with pytest.raises(ListFailed, match=f"at last with: {words}".replace("(", r"\(").replace(")", r"\)")):
        ask(Answers(fault))


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would wait, retry after retry; nobody does."""
    waited: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waited.append)
    stamina.set_testing(False)
    return waited


def test_retry_after_is_waited_for_and_not_much_longer(waits: list[float]):
    ask(Answers(error(429, retry_after="7"), error(503, retry_after="31"), page([])))
    assert 7 <= waits[0] <= 7 + client_module.JITTER
    assert 31 <= waits[1] <= 31 + client_module.JITTER, "longer than the longest wait of our own"


@pytest.mark.parametrize("senseless", ["0", "0.0", "soon", "-5", "nan", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_without_a_sensible_retry_after_the_waits_grow_to_a_bound(waits: list[float], senseless: str):
    """«At once», too: eight attempts at once are no patience, and a hundred a minute are all there are."""
    with pytest.raises(ListFailed):
        ask(Answers(error(429, retry_after=senseless)), seconds=10_000)
    assert len(waits) == client_module.ATTEMPTS - 1
    assert waits[0] <= client_module.FIRST_WAIT + client_module.JITTER
    assert waits[-1] > 4 * waits[0]
    assert max(waits) <= client_module.LONGEST_WAIT + client_module.JITTER


NOON = "Mon, 01 Jun 2026 12:00:00 GMT"
"""The server's clock, which its resets are told by."""


@pytest.mark.parametrize("retry_after", [{}, {"retry_after": "0"}])
def test_without_a_retry_after_the_reset_of_the_limit_is_waited_for(waits: list[float], retry_after: dict[str, str]):
    reset = {"anthropic_ratelimit_requests_reset": "2026-06-01T12:00:21Z"}
    ask(Answers(error(429, date=NOON, **reset, **retry_after), page([])))
    assert 21 <= waits[0] <= 21 + client_module.JITTER


def test_a_retry_after_goes_before_the_reset_of_the_limit(waits: list[float]):
    reset = {"anthropic_ratelimit_requests_reset": "2026-06-01T12:00:21Z"}
    ask(Answers(error(429, date=NOON, retry_after="3", **reset), page([])))
    assert 3 <= waits[0] <= 3 + client_module.JITTER


def test_of_several_limits_the_exhausted_one_is_waited_for(waits: list[float]):
    limits = {
        "anthropic_ratelimit_requests_reset": "2026-06-01T12:00:21Z",
        "anthropic_ratelimit_requests_remaining": "0",
        "anthropic_ratelimit_tokens_reset": "2026-06-01T12:00:02Z",
        "anthropic_ratelimit_tokens_remaining": "70",
    }
    ask(Answers(error(429, date=NOON, **limits), page([])))
    assert 21 <= waits[0] <= 21 + client_module.JITTER


@pytest.mark.parametrize("reset", ["2026-06-01T11:59:00Z", "2026-06-01T12:00:30", "soon", ""])
def test_a_reset_that_is_over_or_none_leaves_the_wait_to_us(waits: list[float], reset: str):
    ask(Answers(error(429, date=NOON, anthropic_ratelimit_requests_reset=reset), page([])))
    assert 0 < waits[0] <= client_module.FIRST_WAIT + client_module.JITTER


def test_nobody_waits_for_a_reset_beyond_the_time_bound_of_a_list(waits: list[float]):
    answers = Answers(error(429, date=NOON, anthropic_ratelimit_requests_reset="2026-06-01T13:00:00Z"))
    with pytest.raises(ListFailed, match="failed once"):
        ask(answers, seconds=60)
    assert (answers.asked, waits) == (1, [])


def test_waits_differ_so_that_not_all_come_back_at_once(waits: list[float]):
    for _ in range(5):
        ask(Answers(error(500), page([])))
    assert len(set(waits)) > 1


@pytest.mark.parametrize("retry_after", ["61", "inf"])
def test_nobody_waits_beyond_the_time_bound_of_a_list(waits: list[float], retry_after: str):
    answers = Answers(error(429, retry_after=retry_after))
    with pytest.raises(ListFailed, match="failed once"):
        ask(answers, seconds=60)
    assert (answers.asked, waits) == (1, [])


def test_when_the_time_of_a_list_is_over_nothing_is_tried_again(waits: list[float]):
    answers = Answers(error(500))
    with pytest.raises(ListFailed, match="failed once"):
        ask(answers, seconds=-1)
    assert (answers.asked, waits) == (1, [])


def test_an_answer_that_only_trickles_ends_with_the_time_of_its_list():
    class Trickle(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield from [b" "] * 1_000_000

    answers = Answers(httpx.Response(200, headers={"content-type": "application/json"}, stream=Trickle()))
    with pytest.raises(ListFailed, match="the answer came too slowly"):
        ask(answers, seconds=-1)


def test_one_time_bound_holds_for_a_list_with_all_its_restarts(
    nights: Callable[..., Nights], monkeypatch: pytest.MonkeyPatch
):
    """Each list starts its clock once: starting over must not buy it another half hour."""
    started: list[float] = []
    monkeypatch.setattr(lists, "list_deadline", lambda: started.append(1) or deadline.list_deadline())
    api, turns = ScriptedApi(users=[user(1), user(2)]), iter([404, 404, 200])
    api.page_size = 1
    nights(api).observe()
    undisturbed = len(started)
    api.says["users"] = lambda request: (
        error(404) if "after_id" in request.url.params and next(turns) == 404 else api.answer(request)
    )
    nights(api).observe()
    assert len(started) == 2 * undisturbed


def test_a_server_that_does_not_answer_is_given_up_on():
    assert all(seconds for seconds in client_module.TIMEOUT.as_dict().values())
    assert max(client_module.TIMEOUT.as_dict().values()) <= 120
    assert deadline.LIST_SECONDS <= 3600


@pytest.mark.parametrize("fault", Fault)
def test_over_real_http_every_second_answer_may_fail_and_the_rows_are_the_same(fault: Fault):
    clock, company = Clock(datetime(2026, 6, 2, 2, tzinfo=UTC)), Organization("faulty", 40, 10)

    def rows_with(plan: FaultPlan) -> list[bytes]:
        bodies, cursor = [], {}
        options = Options(page_cap=9, fault_plan=plan)
        with serving(create_app(company, clock=clock.now, options=options)) as url, Client(url, KEY) as client:
            while True:
                path, until = "/v1/organizations/users", time.monotonic() + 60
                bodies.append(client.get(path, {"limit": 1000, **cursor}, {}, deadline=until).body)
                told = httpx.Response(200, content=bodies[-1]).json()
                if not told["has_more"]:
                    return bodies
                cursor = {"after_id": told["last_id"]}

    undisturbed = rows_with(FaultPlan())
    assert len(undisturbed) > 2
    assert rows_with(FaultPlan(every=2, faults=(fault,))) == undisturbed
