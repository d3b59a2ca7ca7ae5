"""So many requests a minute, over all endpoints, and a 429 that says much or little of when to come again."""

from datetime import datetime

import pytest

from sandbox import RateLimit, RetryAfter
from tests.sandbox.clients import NOW, Api, Serve


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_hundred_requests_a_minute_go_through_and_the_next_one_after_the_window(serve: Serve):
    stopwatch = Stopwatch()
    api = serve(rate_limit=RateLimit(), stopwatch=stopwatch)
    assert [api.get("me").status_code for _ in range(50)] == [200] * 50
    stopwatch.seconds += 30
    assert [api.get("users", limit=1).status_code for _ in range(51)] == [200] * 50 + [429]
    stopwatch.seconds += 30
    assert [api.get("me").status_code for _ in range(51)] == [200] * 50 + [429]


@pytest.mark.parametrize(
    ("retry_after", "header"),
    [
        (RetryAfter.SECONDS, "46"),
        (RetryAfter.ABSENT, None),
        (RetryAfter.ZERO, "0"),
        (RetryAfter.DATE, "Tue, 24 Nov 2026 02:15:46 GMT"),
        (RetryAfter.NOTHING, None),
    ],
)
def test_a_429_says_when_the_limit_resets(serve: Serve, retry_after: RetryAfter, header: str | None):
    stopwatch = Stopwatch()
    api = serve(rate_limit=RateLimit(requests=1, retry_after=retry_after), stopwatch=stopwatch)
    assert api.get("me").status_code == 200
    stopwatch.seconds += 14.5
    refused = api.get("me")
    assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
    assert refused.headers.get("retry-after") == header
    told = refused.headers.get("anthropic-ratelimit-requests-reset")
    seconds = (datetime.fromisoformat(told) - NOW).total_seconds() if told else None
    assert seconds == (None if retry_after is RetryAfter.NOTHING else 45.5)


def test_every_answer_may_say_what_is_left_of_the_limit(serve: Serve):
    stopwatch = Stopwatch()
    api = serve(rate_limit=RateLimit(requests=2, told=True), refused={"users": 403}, stopwatch=stopwatch)
    names = ("limit", "remaining", "reset")
    for path, status, left in (("me", 200, "1"), ("users", 403, "0")):
        answer = api.get(path)
        told = [answer.headers[f"anthropic-ratelimit-requests-{name}"] for name in names]
        assert (answer.status_code, told) == (status, ["2", left, "2026-11-24T02:16:00Z"])
    stopwatch.seconds += 59
    assert api.get("me").status_code == 429
    stopwatch.seconds += 1
    assert api.get("me").headers["anthropic-ratelimit-requests-remaining"] == "1"
    assert not any("ratelimit" in name for name in serve(rate_limit=RateLimit()).get("me").headers)


def test_a_window_may_be_a_fraction_of_a_second(serve: Serve):
    stopwatch = Stopwatch()
    api = serve(rate_limit=RateLimit(requests=2, window_seconds=0.1), stopwatch=stopwatch)
    assert _statuses(api, 3) == [200, 200, 429]
    stopwatch.seconds += 0.101
    assert _statuses(api, 3) == [200, 200, 429]


def test_refused_requests_do_not_push_the_reset_away(serve: Serve):
    stopwatch = Stopwatch()
    api = serve(rate_limit=RateLimit(requests=1, window_seconds=10), stopwatch=stopwatch)
    assert _statuses(api, 1) == [200]
    for _ in range(3):
        stopwatch.seconds += 3
        assert _statuses(api, 1) == [429]
    stopwatch.seconds += 1
    assert _statuses(api, 1) == [200]


def test_without_a_stopwatch_real_seconds_count(serve: Serve):
    assert _statuses(serve(rate_limit=RateLimit(requests=1, window_seconds=3_600)), 2) == [200, 429]


def _statuses(api: Api, requests: int) -> list[int]:
    return [api.get("me").status_code for _ in range(requests)]
