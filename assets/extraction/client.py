"""One key's HTTP connection to the Admin API: time-outs, retries, and what an answer's status means.

Knows nothing of lists, pages or fields. An answer leaves this module as a body of JSON, or as one of:

- `NotAvailable`  the key may not, or the organization has not, this endpoint (403, 404)
- `Rejected`      the question was refused (400 and the other client errors)
- `AccessRefused` the key itself was refused (401)
- `ListFailed`    no answer worth reading arrived, in spite of retries; or one that is not the API's own
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import stamina
from stamina.instrumentation import set_on_retry_hooks

from assets.errors import AccessRefused, ListFailed, WrongUse
from assets.extraction.api import API_VERSION, USER_AGENT

ATTEMPTS = 8
FIRST_WAIT, LONGEST_WAIT, JITTER = 0.25, 20.0, 0.5
PASSING = (408, 409, 429)
"""Besides 500 and above: what may be gone the next time (the official SDKs try these again)."""
TIMEOUT = httpx.Timeout(connect=10, read=60, write=30, pool=120)


class NotAvailable(Exception):
    """403 or 404: a fact about the key or the organization, not yet an error."""

    def __init__(self, status: int, message: str, request_id: str | None) -> None:
        super().__init__(message)
        self.status, self.request_id = status, request_id


class Rejected(ListFailed):
    """The API refused the question itself; asking again would not help."""

    def __init__(self, status: int, message: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.message = status, message


class _Passing(Exception):
    """A fault that may be gone the next time; `wait` is what the server asked for, in seconds."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


@dataclass(frozen=True)
class Answer:
    body: bytes
    request_id: str | None


class _ErrorDetail(msgspec.Struct):
    type: str = "error"
    message: str = ""


class _ErrorBody(msgspec.Struct):
    error: _ErrorDetail = msgspec.field(default_factory=_ErrorDetail)
    request_id: str | None = None


class Client:
    """A keep-alive connection pool for one key. The key stands in no repr, error or log."""

    def __init__(self, base_url: str, key: str, *, transport: httpx.BaseTransport | None = None) -> None:
        if not (key.isascii() and key.isprintable()):
            # An HTTP library would say so too, and repeat the key in what it says.
            raise WrongUse("the key holds a line break or another character that no key has: copy it anew.")
        self._key = key
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
            headers={"x-api-key": key, "anthropic-version": API_VERSION, "user-agent": USER_AGENT},
            timeout=TIMEOUT,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=16, keepalive_expiry=60),
            transport=transport,
            # A proxy is for the way out; a stand-in on this machine is asked directly.
            trust_env=not is_loopback(base_url),
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, params: Mapping[str, Any], headers: Mapping[str, str], *, deadline: float) -> Answer:
        """Ask until there is an answer, patience ends, or `deadline` (seconds of `time.monotonic`) has come."""
        set_on_retry_hooks([])  # stamina would log to standard output
        tried = 0
        try:
            for attempt in stamina.retry_context(
                on=lambda error: _wait_for(error, deadline),
                attempts=ATTEMPTS,
                timeout=max(deadline - time.monotonic(), 0.001),
                wait_initial=FIRST_WAIT,
                wait_max=LONGEST_WAIT,
                wait_jitter=JITTER,
            ):
                with attempt:
                    tried = attempt.num
                    return self._ask(path, params, headers, deadline)
        except _Passing as fault:
            times = "once" if tried == 1 else f"{tried} times"
            raise ListFailed(f"GET {path} failed {times}, at last with: {fault}") from None
        raise AssertionError("the retry loop ends by returning or raising")

    def _ask(self, path: str, params: Mapping[str, Any], headers: Mapping[str, str], deadline: float) -> Answer:
        with self._faults_named(), self._http.stream("GET", path, params=params, headers=headers) as response:
            body = b"".join(_in_time(response, deadline))
        request_id = response.headers.get("request-id")
        if response.status_code == 200:
            _require_json(path, response, request_id)
            return Answer(body, request_id)
        raise self._meaning(path, response, body, request_id)

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise _Passing(f"time-out ({type(error).__name__}) from {self._http.base_url.host}") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _Passing(f"no whole answer from {self._http.base_url.host}: {self._clean(str(error))}") from None

    def _meaning(self, path: str, response: httpx.Response, body: bytes, request_id: str | None) -> Exception:
        """The exception that says what a status other than 200 means (admin-api facts, errors and limits)."""
        status = response.status_code
        try:
            parsed = msgspec.json.decode(body, type=_ErrorBody)
        except msgspec.MsgspecError:
            parsed = _ErrorBody()
        request_id = request_id or parsed.request_id
        said = f"{parsed.error.type}: {parsed.error.message}" if parsed.error.message else "no reason given"
        message = f"HTTP {status}, {self._clean(said)}{named(request_id)}"
        if status in PASSING or status >= 500 or response.headers.get("x-should-retry") == "true":
            return _Passing(message, _wait_asked_for(response.headers))
        if status == 401:
            return AccessRefused(
                f"the API refused the key ({message}). Check that it is an Admin key (they start with sk-ant-admin), "
                "not a regular API key, and that it was neither revoked nor has expired."
            )
        if status in (403, 404):
            # A plain refusal may be a gateway's of the API; a page for people is a stranger's.
            if _media(response) != "text/html":
                return NotAvailable(status, message, request_id)
            return ListFailed(
                f"GET {path} was answered with HTTP {status}, but not in the API's own words{named(request_id)}: a "
                "proxy's or portal's page, it seems. Nothing was taken for data; check ANTHROPIC_BASE_URL and the "
                "network."
            )
        if 300 <= status < 400:
            return ListFailed(
                f"GET {path} was answered with a redirect (HTTP {status}), which the API never does: a proxy or "
                "portal stands between. Nothing was taken for data; check ANTHROPIC_BASE_URL and the network."
            )
        return Rejected(status, self._clean(parsed.error.message), f"GET {path} was refused: {message}")

    def _clean(self, text: str) -> str:
        """What others wrote, without the key should they have repeated it, on one line of bounded length."""
        return " ".join(text.replace(self._key, "[key]").split())[:500]


def named(request_id: str | None) -> str:
    """The request id as the end of a sentence's part: support asks for it."""
    return f", request id {request_id}" if request_id else ""


def is_loopback(url: str) -> bool:
    """Whether `url` points at this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name; one that only begins with 127. is anybody's
        return host == "localhost"


def _in_time(response: httpx.Response, deadline: float) -> Iterator[bytes]:
    for chunk in response.iter_bytes():
        if time.monotonic() > deadline:
            raise _Passing("the answer came too slowly")
        yield chunk


def _media(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _require_json(path: str, response: httpx.Response, request_id: str | None) -> None:
    media = _media(response)
    if media != "application/json":
        raise ListFailed(
            f"GET {path} was answered with {media or 'no content type'} instead of JSON{named(request_id)}: a proxy's "
            "or portal's page, it seems. Nothing was taken for data; check ANTHROPIC_BASE_URL and the network."
        )


def _wait_for(error: Exception, deadline: float) -> bool | float:
    """What stamina asks: retry, and how long to wait where the server said so."""
    if not isinstance(error, _Passing):
        return False
    if error.wait is None:
        return time.monotonic() < deadline
    if time.monotonic() + error.wait > deadline:
        return False
    return error.wait + random.uniform(0, JITTER)


def _wait_asked_for(headers: httpx.Headers) -> float | None:
    """Seconds until the server wants to be asked again; None where it does not say: «at once» says nothing."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        seconds = 0.0
    return seconds if seconds > 0 else _seconds_to_reset(headers)


def _seconds_to_reset(headers: httpx.Headers) -> float | None:
    """Until the exhausted limit is full again, by the server's own clock; of several that do not say, the soonest."""
    now = _instant(headers.get("date", ""), parsedate_to_datetime) or datetime.now(UTC)
    exhausted: list[float] = []
    others: list[float] = []
    for name, value in headers.items():
        if not (name.startswith("anthropic-ratelimit-") and name.endswith("-reset")):
            continue
        reset = _instant(value, datetime.fromisoformat)
        if reset and reset > now:
            empty = headers.get(f"{name.removesuffix('-reset')}-remaining") == "0"
            (exhausted if empty else others).append((reset - now).total_seconds())
    return max(exhausted) if exhausted else min(others, default=None)


def _instant(text: str, parse: Callable[[str], datetime]) -> datetime | None:
    try:
        moment = parse(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
