"""The limit of requests per organization, and what its 429 says of when to come again."""

import math
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from pipelines.sandbox.calls import ApiError
from pipelines.sandbox.options import RateLimit, RetryAfter


class Turnstile:
    """Lets so many requests through in any window, by a clock that only goes forward: the sandbox's may stand still."""

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self._stopwatch = stopwatch
        self._passed: deque[float] = deque()

    def enter(self, limit: RateLimit, now: datetime) -> None:
        """Count a request in, or refuse it; `now` is the time that the sandbox tells, and the reset is told in it."""
        instant = self._stopwatch()
        while self._passed and self._passed[0] <= instant - limit.window_seconds:
            self._passed.popleft()
        if len(self._passed) < limit.requests:
            self._passed.append(instant)
            return
        wait = self._passed[0] + limit.window_seconds - instant if self._passed else limit.window_seconds
        message = f"This request would exceed your organization's rate limit of {limit.requests} requests."
        raise ApiError(429, message, headers=_headers(limit.retry_after, wait, now))


def _headers(retry_after: RetryAfter, wait: float, now: datetime) -> dict[str, str]:
    reset = (now + timedelta(seconds=wait)).isoformat().replace("+00:00", "Z")
    headers = {"anthropic-ratelimit-requests-reset": reset}
    if retry_after is not RetryAfter.ABSENT:
        headers["retry-after"] = "0" if retry_after is RetryAfter.ZERO else str(math.ceil(wait))
    return headers
