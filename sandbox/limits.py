"""The limit of requests per organization, and what answers say of it: how many are left, and when to come again."""

import math
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime

from sandbox.calls import ApiError
from sandbox.options import RateLimit, RetryAfter

_HEADER = "anthropic-ratelimit-requests-"


class Turnstile:
    """Lets so many requests through in any window, by a clock that only goes forward: the sandbox's may stand still."""

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self._stopwatch = stopwatch
        self._passed: deque[float] = deque()

    def enter(self, limit: RateLimit, now: datetime) -> dict[str, str]:
        """Count a request in, or refuse it; `now` is the time that the sandbox tells, and resets are told in it.

        Gives what the answer says of the limit.
        """
        instant = self._stopwatch()
        while self._passed and self._passed[0] <= instant - limit.window_seconds:
            self._passed.popleft()
        if len(self._passed) < limit.requests:
            self._passed.append(instant)
            return self._left(limit, now) if limit.told else {}
        wait = self._passed[0] + limit.window_seconds - instant if self._passed else limit.window_seconds
        message = f"This request would exceed your organization's rate limit of {limit.requests} requests."
        raise ApiError(429, message, headers=_headers(limit, wait, now))

    def _left(self, limit: RateLimit, now: datetime) -> dict[str, str]:
        return {
            f"{_HEADER}limit": str(limit.requests),
            f"{_HEADER}remaining": str(limit.requests - len(self._passed)),
            f"{_HEADER}reset": _told(now + timedelta(seconds=limit.window_seconds)),
        }


def _headers(limit: RateLimit, wait: float, now: datetime) -> dict[str, str]:
    again = now + timedelta(seconds=wait)
    seconds = math.ceil(wait)
    headers = {} if limit.retry_after is RetryAfter.NOTHING else {f"{_HEADER}reset": _told(again)}
    match limit.retry_after:
        case RetryAfter.SECONDS:
            headers["retry-after"] = str(seconds)
        case RetryAfter.ZERO:
            headers["retry-after"] = "0"
        case RetryAfter.DATE:
            headers["retry-after"] = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
    return headers


def _told(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
