"""What may pass is tried again, in time and with patience; what will not pass is not."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import httpx
import pytest

from assets.errors import AccessRefused, ListFailed
from assets.extraction import patience
from assets.extraction.answers import Answer, NotAvailable, Rejected
from assets.extraction.client import ATTEMPT_SECONDS, TIMEOUT, Client
from sandbox import QUICK_FAULTS, Clock, Fault, FaultPlan, Options, Organization, create_app, serving
from tests.scripted import KEY, Handler, error, page, user


def ask(handler: Handler, seconds: float = 60) -> Answer:
    with Client("https://api.test", KEY, transport=httpx.MockTransport(handler)) as client:
        deadline = patience.monotonic() + seconds  # type: ignore[attr-defined]  # the one that tests turn
        return client.get("/v1/organizations/users", {}, {}, deadline=deadline)


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
    error(425, "Too early"),
    error(400, "try that again", x_should_retry="true"),
    error(404, "not here yet", x_should_retry="true"),
    error(500, "Internal server error"),
    httpx.Response(502, html="<h1>Bad gateway</h1>"),
    error(503),
    error(504),
    error(529, "Overloaded"),
    httpx.Response(520, html="<h1>Web server returned an unknown error</h1>"),
    httpx.ReadError("Connection reset by peer"),
    httpx.ConnectError("Connection refused"),
    httpx.ConnectError("[Errno -3] Temporary failure in name resolution"),
    httpx.ConnectError("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"),
    httpx.ProxyError("503 Service Unavailable"),
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


def as_json(body: bytes, **headers: str) -> httpx.Response:
    return httpx.Response(200, headers={"content-type": "application/json", "connection": "close"}, content=body)


WHOLE = page([user(1), user(2)], last_id="user_0002").content


@pytest.mark.parametrize(
    "body",
    [
        b"",
        *(WHOLE[:length] for length in (1, len(WHOLE) // 2, len(WHOLE) - 1)),
        WHOLE.replace(b":", b";", 1),
        WHOLE + b"</html>",
        b"upstream connect error",
    ],
)
def test_a_body_that_is_no_whole_json_is_asked_for_again_though_no_length_was_missed(body: bytes):
    answers = Answers(as_json(body), as_json(body), page([user(1)]))
    assert b"user_0001" in ask(answers).body
    assert answers.asked == 3
    with pytest.raises(ListFailed, match=rf"HTTP 200 with {len(body)} bytes that are no whole JSON \(.*\)"):
        ask(Answers(as_json(body)))


@pytest.mark.parametrize(
    "odd",
    [
        b'{"data": [{"name": "\\ud83d"}]}',
        b'{"data": [{"name": "\\udead and more"}, {}]}',
        b'{"data": [{"name": "\xff"}]}',
        b'{"data": %s}' % (b"[" * 10_000 + b"]" * 10_000),
        b'{"data": [], "data": []}',
    ],
)
def test_what_is_whole_but_odd_is_not_asked_for_again_as_its_reader_decides(odd: bytes):
    answers = Answers(as_json(odd))
    assert ask(answers).body == odd
    assert answers.asked == 1


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
        (error(404, x_should_retry="false"), NotAvailable),
        (error(429, x_should_retry="false", retry_after="1"), ListFailed),
        (error(503, x_should_retry="false"), ListFailed),
        (error(404), NotAvailable),
        (error(405), Rejected),
        (error(422), Rejected),
        (httpx.Response(302, headers={"location": "https://elsewhere.test"}), ListFailed),
        (httpx.Response(200, html="<h1>Log in</h1>"), ListFailed),
        (httpx.Response(204), ListFailed),
        (httpx.Response(401, html="<h1>Who are you?</h1>"), ListFailed),
        (httpx.Response(407, html="<h1>Who are you?</h1>"), ListFailed),
    ],
)
def test_nothing_else_is_tried_again(answer: httpx.Response, kind: type[Exception]):
    answers = Answers(answer)
    with pytest.raises(kind):
        ask(answers)
    assert answers.asked == 1


def test_a_fault_that_stays_fails_with_what_it_was_for_how_long_and_how_often(waits: list[float]):
    answers = Answers(error(529, "Overloaded"))
    with pytest.raises(ListFailed) as caught:
        ask(answers, seconds=300)
    assert str(caught.value) == (
        f"GET /v1/organizations/users failed {answers.asked} times within 5 min, at last with: HTTP 529, api_error: "
        "Overloaded, request id req_42"
    )
    assert len(waits) == answers.asked - 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (httpx.ReadTimeout("too late"), "time-out (ReadTimeout) from api.test"),
        (httpx.ConnectError("Connection refused"), "no whole answer from api.test: Connection refused"),
        (
            httpx.Response(502, html="<h1>Bad gateway</h1>"),
            "HTTP 502, Bad Gateway, not in the API's own words: from a gateway or proxy on the way",
        ),
        (httpx.Response(599), "HTTP 599, unknown, not in the API's own words"),
        (httpx.ProxyError("503 Service Unavailable"), "the proxy answered 503 Service Unavailable"),
    ],
)
def test_a_fault_that_stays_is_told_in_words(fault: httpx.Response | Exception, words: str):
    with pytest.raises(ListFailed, match=f"at last with: {words}".replace("(", r"\(").replace(")", r"\)")):
        ask(Answers(fault))


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would wait, retry after retry; nobody does, and no other time passes, however busy it is."""
    waited, now = list[float](), time.monotonic()
    monkeypatch.setattr(patience, "monotonic", lambda: now)
    monkeypatch.setattr(patience, "sleep", waited.append)
    return waited


def with_chance(seconds: float) -> float:
    """The longest that a wait of so many seconds may become."""
    return seconds + max(seconds * patience.JITTER, patience.FIRST_WAIT)


def test_retry_after_is_waited_for_and_not_much_longer(waits: list[float]):
    ask(Answers(error(429, retry_after="7"), error(503, retry_after="41"), page([])))
    assert 7 <= waits[0] <= with_chance(7)
    assert 41 <= waits[1] <= with_chance(41), "longer than the longest wait of our own"


def test_a_date_to_come_again_at_is_read_by_the_clock_of_the_server_that_names_it(waits: list[float]):
    ask(Answers(error(429, date=NOON, retry_after="Mon, 01 Jun 2026 12:00:17 GMT"), page([])))
    now = datetime.now(UTC)
    ask(Answers(error(503, retry_after=format_datetime(now + timedelta(seconds=40), usegmt=True)), page([])))
    assert 17 <= waits[0] <= with_chance(17)
    assert 30 <= waits[1] <= with_chance(40)


def test_milliseconds_to_wait_are_understood_as_the_official_clients_do(waits: list[float]):
    ask(Answers(error(429, retry_after_ms="2500", retry_after="3"), page([])))
    assert 2.5 <= waits[0] <= with_chance(2.5)


@pytest.mark.parametrize(
    "senseless", ["0", "0.0", "soon", "-5", "nan", "inf", "", "Wed, 21 Oct 2020 07:28:00 GMT", "Wed, 99 Oct 2026"]
)
@pytest.mark.parametrize("seconds", [90, 300])
def test_without_a_sensible_retry_after_the_waits_grow_to_a_bound_and_last_as_long_as_the_question_may(
    waits: list[float], senseless: str, seconds: float
):
    """«At once», too: a hundred a minute are all there are, and a minute's window is outlasted."""
    with pytest.raises(ListFailed):
        ask(Answers(error(429, retry_after=senseless)), seconds)
    assert waits[0] <= with_chance(patience.FIRST_WAIT)
    assert all(later > earlier for earlier, later in pairwise(waits[:6]))
    assert max(waits) <= with_chance(patience.LONGEST_WAIT)
    assert seconds - patience.SHORTEST_LEFT < sum(waits) < seconds
    assert len(waits) < 25, "no hail of questions at the end"


NOON = "Mon, 01 Jun 2026 12:00:00 GMT"
"""The server's clock, which its resets are told by."""


@pytest.mark.parametrize("retry_after", [{}, {"retry_after": "0"}])
def test_without_a_retry_after_the_reset_of_the_limit_is_waited_for(waits: list[float], retry_after: dict[str, str]):
    reset = {"anthropic_ratelimit_requests_reset": "2026-06-01T12:00:21Z"}
    ask(Answers(error(429, date=NOON, **reset, **retry_after), page([])))
    assert 21 <= waits[0] <= with_chance(21)


def test_a_retry_after_goes_before_the_reset_of_the_limit(waits: list[float]):
    reset = {"anthropic_ratelimit_requests_reset": "2026-06-01T12:00:21Z"}
    ask(Answers(error(429, date=NOON, retry_after="3", **reset), page([])))
    assert 3 <= waits[0] <= with_chance(3)


def test_of_several_limits_the_exhausted_one_is_waited_for(waits: list[float]):
    limits = {
        "anthropic_ratelimit_requests_reset": "2026-06-01T12:00:21Z",
        "anthropic_ratelimit_requests_remaining": "0",
        "anthropic_ratelimit_tokens_reset": "2026-06-01T12:00:02Z",
        "anthropic_ratelimit_tokens_remaining": "70",
    }
    ask(Answers(error(429, date=NOON, **limits), page([])))
    assert 21 <= waits[0] <= with_chance(21)


@pytest.mark.parametrize("reset", ["2026-06-01T11:59:00Z", "2026-06-01T12:00:30", "soon", ""])
def test_a_reset_that_is_over_or_none_leaves_the_wait_to_us(waits: list[float], reset: str):
    ask(Answers(error(429, date=NOON, anthropic_ratelimit_requests_reset=reset), page([])))
    assert 0 < waits[0] <= with_chance(patience.FIRST_WAIT)


@pytest.mark.parametrize(
    "asked_for",
    [
        {"retry_after": "3600"},
        {"retry_after": "Mon, 01 Jun 2026 13:00:00 GMT"},
        {"anthropic_ratelimit_requests_reset": "2026-06-01T13:00:00Z"},
    ],
)
def test_a_wait_beyond_the_time_of_a_question_is_told_at_once_and_not_waited(
    waits: list[float], asked_for: dict[str, str]
):
    answers = Answers(error(429, "slow down", date=NOON, **asked_for))
    with pytest.raises(ListFailed, match="failed once") as caught:
        ask(answers, seconds=300)
    hour = datetime.now(UTC) + timedelta(hours=1)
    told = str(caught.value)
    assert "slow down" in told
    assert f"it wants to be asked again in 60 min, at {hour:%Y-%m-%d %H:}" in told
    assert told.endswith("UTC, which is later than this may take")
    assert (answers.asked, waits) == (1, [])


@pytest.mark.parametrize("retry_after", ["61", "1e300"])
def test_nobody_waits_beyond_the_time_bound_of_a_list(waits: list[float], retry_after: str):
    answers = Answers(error(429, retry_after=retry_after))
    with pytest.raises(ListFailed, match="failed once"):
        ask(answers, seconds=60)
    assert (answers.asked, waits) == (1, [])


def test_waits_differ_so_that_not_all_come_back_at_once(waits: list[float]):
    for _ in range(5):
        ask(Answers(error(500), page([])))
    assert len(set(waits)) > 1


def test_when_no_time_is_left_nothing_is_asked(waits: list[float]):
    answers = Answers(page([]))
    with pytest.raises(ListFailed, match="was not asked any more: time-out, as no time was left for it"):
        ask(answers, seconds=-1)
    assert (answers.asked, waits) == (0, [])


def test_a_server_that_does_not_answer_is_given_up_on():
    assert all(seconds for seconds in TIMEOUT.as_dict().values())
    assert max(seconds or 0 for seconds in TIMEOUT.as_dict().values()) < ATTEMPT_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("fault", QUICK_FAULTS)
def test_over_real_http_every_second_answer_may_fail_and_the_rows_are_the_same(fault: Fault):
    clock, company = Clock(datetime(2026, 6, 2, 2, tzinfo=UTC)), Organization("faulty", 40, 10)

    def rows_with(plan: FaultPlan) -> list[bytes]:
        bodies: list[bytes] = []
        cursor: dict[str, str] = {}
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
