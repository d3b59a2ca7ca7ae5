"""How long one question is asked again, when, and how the questions to one organization take turns.

A server's word on when to come again goes before our own back-off, and nobody comes earlier than the limit allows.
Whether an answer is worth asking again is decided in `answers`.
"""

import math
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic, sleep

import httpx

from assets.errors import ListFailed

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
JITTER = 0.1
"""The share of a wait that chance adds, and at least `FIRST_WAIT` may add: so that not all come back at once."""
SHORTEST_LEFT = 3.0
"""With fewer seconds left than this, a question is not asked again."""
LATEST_TRY = 0.8
"""The last wait leaves a fifth of the time that is left for the answer."""
MINUTE = 60.0
"""The window of the API's limits of requests."""


class Passing(Exception):
    """A fault that may be gone the next time; `wait` is what the server asked for, in seconds."""

    def __init__(self, what: str, wait: float | None = None, *, crowded: bool = False) -> None:
        super().__init__(what)
        self.wait, self.crowded = wait, crowded
        """`crowded`: it was too much from all of us (429), so that all wait."""


class Question:
    """One question's time, from when it is first asked to its deadline, in seconds of `time.monotonic`."""

    def __init__(self, name: str, deadline: float) -> None:
        self._name, self._deadline = name, deadline
        self._started, self._waited = monotonic(), 0.0
        self._asked, self._last = 0, ""

    def now(self) -> float:
        """The time by its own clock, which goes on by what it waited even where a test's `sleep` takes no time."""
        return max(monotonic(), self._started + self._waited)

    def left(self) -> float:
        return self._deadline - self.now()

    def wait(self, seconds: float) -> None:
        """Wait so long and a little more; what chance adds never takes the time that is left to ask."""
        most = max(self.left() - seconds, 0) * LATEST_TRY
        seconds += min(random.uniform(0, max(seconds * JITTER, FIRST_WAIT)), most)
        sleep(seconds)
        self._waited += seconds

    def begin(self, most: float) -> float:
        """Count an attempt in that may take so many seconds at most; how many it may take now.

        Raises:
            ListFailed: no time is left.
        """
        left = self.left()
        if left <= 0:
            raise self._given_up()
        self._asked += 1
        return min(most, left)

    def wait_after(self, fault: Passing) -> float:
        """How long to wait before it is asked again.

        Raises:
            ListFailed: not within its time. The sentence says for how long it was tried, and the last answer.
        """
        self._last, left = str(fault), self.left()
        if fault.wait is not None and fault.wait >= left:
            again = datetime.now(UTC) + timedelta(seconds=min(fault.wait, 1e9))
            raise self._given_up(
                f"; it wants to be asked again in {_spelled(fault.wait)}, at {again:%Y-%m-%d %H:%M:%S} UTC, which is "
                "later than this may take"
            )
        if left < SHORTEST_LEFT:
            raise self._given_up()
        if fault.wait is not None:
            return fault.wait
        return min(FIRST_WAIT * 2.0 ** min(self._asked - 1, 30), LONGEST_WAIT, left * LATEST_TRY)

    def _given_up(self, more: str = "") -> ListFailed:
        if not self._asked:
            return ListFailed(f"{self._name} was not asked any more: time-out, as no time was left for it")
        times = "once" if self._asked == 1 else f"{self._asked} times"
        tried = f"{self._name} failed {times} within {_spelled(self.now() - self._started)}"
        return ListFailed(f"{tried}, at last with: {self._last}{more}")


class Pace:
    """Whose turn it is to ask one organization: after a 429 everybody waits, and no more is asked than is left.

    What an answer says of the limit (`anthropic-ratelimit-requests-*`) counts until the limit is full again; a server
    that only names its limit is taken at so many a minute.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._not_before = -math.inf
        self._left: int | None = None
        self._full_at = -math.inf
        self._under_way = 0
        self._minute_began, self._this_minute = -math.inf, 0

    @contextmanager
    def turn(self, question: Question) -> Iterator[None]:
        """Wait for one's turn; where that is later than a question may take, ask at once: the server decides."""
        while wait := self._claimed(question.now(), question.left()):
            question.wait(wait)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def hold(self, until: float) -> None:
        """Nobody asks before this moment."""
        with self._lock:
            self._not_before = max(self._not_before, until)

    def told(self, headers: httpx.Headers, now: float) -> None:
        """What an answer said of how much is left, for the questions to come."""
        limit = _whole(headers.get("anthropic-ratelimit-requests-limit"))
        left = _whole(headers.get("anthropic-ratelimit-requests-remaining"))
        to_full = _seconds_until(headers.get("anthropic-ratelimit-requests-reset", ""), headers)
        with self._lock:
            if left is not None and to_full is not None:
                # Those that are under way, but for the one that was answered, it may not have counted.
                self._left, self._full_at = left - (self._under_way - 1), now + to_full
            elif limit and left is None:
                self._left, self._full_at = limit - self._this_minute, self._minute_began + MINUTE

    def _claimed(self, now: float, most: float) -> float:
        """Nothing, and the turn is taken; or how long to wait, if that is less than `most`."""
        with self._lock:
            if now >= self._full_at:
                self._left = None
            wait = max(self._not_before - now, 0.0)
            if self._left is not None and self._left < 1:
                wait = max(wait, self._full_at - now)
            if 0 < wait < most:
                return wait
            if now >= self._minute_began + MINUTE:
                self._minute_began, self._this_minute = now, 0
            self._this_minute += 1
            self._under_way += 1
            if self._left is not None:
                self._left -= 1
            return 0.0


def wait_asked_for(headers: httpx.Headers) -> float | None:
    """Seconds until the server wants to be asked again; None where it does not say: «at once» says nothing."""
    for text, unit in ((headers.get("retry-after-ms", ""), 0.001), (headers.get("retry-after", ""), 1.0)):
        seconds = _positive(text)
        if seconds:
            return seconds * unit
    dated = _until(_instant(headers.get("retry-after", ""), parsedate_to_datetime), headers)
    return dated or _seconds_to_reset(headers)


def server_time(headers: httpx.Headers) -> datetime | None:
    """The instant that an answer says it was given at."""
    return _instant(headers.get("date", ""), parsedate_to_datetime)


def _seconds_to_reset(headers: httpx.Headers) -> float | None:
    """Until the exhausted limit is full again, by the server's own clock; of several that do not say, the soonest."""
    exhausted: list[float] = []
    others: list[float] = []
    for name, value in headers.items():
        if not (name.startswith("anthropic-ratelimit-") and name.endswith("-reset")):
            continue
        seconds = _seconds_until(value, headers)
        if seconds:
            empty = headers.get(f"{name.removesuffix('-reset')}-remaining") == "0"
            (exhausted if empty else others).append(seconds)
    return max(exhausted) if exhausted else min(others, default=None)


def _seconds_until(reset: str, headers: httpx.Headers) -> float | None:
    return _until(_instant(reset, datetime.fromisoformat), headers)


def _until(moment: datetime | None, headers: httpx.Headers) -> float | None:
    """Seconds to a moment that is yet to come, by the clock of the server that named it."""
    now = server_time(headers) or datetime.now(UTC)
    return (moment - now).total_seconds() if moment and moment > now else None


def _instant(text: str, parse: Callable[[str], datetime]) -> datetime | None:
    try:
        moment = parse(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, TypeError, IndexError, OverflowError):  # whatever a header may hold
        return None


def _positive(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < math.inf else None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _spelled(seconds: float) -> str:
    return f"{max(math.ceil(seconds), 1)} s" if seconds < 2 * MINUTE else f"{seconds / MINUTE:,.0f} min"
