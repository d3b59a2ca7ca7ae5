"""What an answer of the Admin API means, by its status, its kind and its first words.

An answer is a body of JSON, or one of:

- `NotAvailable`  the key may not, or the organization has not, this endpoint (403, 404)
- `Rejected`      the question was refused (400 and the other client errors)
- `AccessRefused` the key itself was refused (401)
- `Passing`       it may be gone the next time
- `ListFailed`    it is not the API's own, and will not be the next time either
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import httpx
import msgspec

from assets.errors import AccessRefused, ListFailed
from assets.extraction.patience import Passing, wait_asked_for

PASSING = (408, 409, 425, 429)
"""Besides 500 and above: what may be gone the next time (the official SDKs try these again, but for 425)."""
STRANGER = "Nothing was taken for data; check ANTHROPIC_BASE_URL and the network."
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


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


def named(request_id: str | None) -> str:
    """The request id as the end of a sentence's part: support asks for it."""
    return f", request id {request_id}" if request_id else ""


def is_json(response: httpx.Response) -> bool:
    return _media(response) == "application/json"


def require_json(path: str, response: httpx.Response, body: bytes) -> None:
    """Refuse a page that is no answer of the API, or no whole one.

    Raises:
        ListFailed: it is not JSON.
        Passing: it says that it is JSON, and is cut short or garbled.
    """
    request_id = response.headers.get("request-id")
    if not is_json(response):
        raise ListFailed(
            f"GET {path} was answered with {_media(response) or 'no content type'} instead of JSON"
            f"{named(request_id)}: a proxy's or portal's page, it seems. {STRANGER}"
        )
    fault = _fault_of_json(body)
    if fault:
        raise Passing(f"HTTP 200 with {len(body):,} bytes that are no whole JSON ({fault}){named(request_id)}")


def proxy_refusal(path: str, status: int, said: str) -> Exception:
    """What it means that a proxy does not let the question through."""
    if status == 407:
        return ListFailed(
            f"GET {path} did not get through the proxy, which asks for a user and a password (HTTP 407): put them into "
            "the proxy's address, as in HTTPS_PROXY=http://user:password@proxy.example:3128. Nothing was asked."
        )
    if status in PASSING or status >= 500:
        return Passing(f"the proxy answered {said}")
    return ListFailed(
        f"GET {path} did not get through the proxy, which answered {said}: have it let the API through, or name the "
        "API's host in NO_PROXY. Nothing was asked."
    )


def meaning(path: str, response: httpx.Response, body: bytes, clean: Callable[[str], str]) -> Exception:
    """The exception that says what a status other than 200 means."""
    status, should_retry = response.status_code, response.headers.get("x-should-retry", "").strip().lower()
    parsed = _error_of(body)
    request_id = response.headers.get("request-id") or parsed.request_id
    own_words = bool(parsed.error.message)
    said = clean(f"{parsed.error.type}: {parsed.error.message}") if own_words else _not_its_own(status)
    message = f"HTTP {status}, {said}{named(request_id)}"
    if status == 407:
        return proxy_refusal(path, status, message)
    if should_retry == "true" or (should_retry != "false" and (status in PASSING or status >= 500)):
        return Passing(message, wait_asked_for(response.headers), crowded=status == 429)
    if status in PASSING or status >= 500:
        return ListFailed(f"GET {path} failed, and by the API's own word asking again would not help: {message}")
    if status in (401, 403, 404) and _media(response) == "text/html":
        # A plain refusal may be a gateway's of the API; a page for people is a stranger's.
        return ListFailed(
            f"GET {path} was answered with HTTP {status}, but not in the API's own words{named(request_id)}: a "
            f"proxy's or portal's page, it seems. {STRANGER}"
        )
    if status == 401:
        return AccessRefused(
            f"the API refused the key ({message}). Check that it is an Admin key (they start with sk-ant-admin), "
            "not a regular API key, and that it was neither revoked nor has expired."
        )
    if status in (403, 404):
        return NotAvailable(status, message, request_id)
    if status < 400:
        kind = "a redirect" if status >= 300 else "an answer without a list"
        return ListFailed(
            f"GET {path} was answered with {kind} (HTTP {status}), which the API never does: a proxy or portal stands "
            f"between. {STRANGER}"
        )
    return Rejected(status, clean(parsed.error.message), f"GET {path} was refused: {message}")


def _error_of(body: bytes) -> _ErrorBody:
    try:
        return msgspec.json.decode(body, type=_ErrorBody)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _ErrorBody()


def _not_its_own(status: int) -> str:
    """Words for a status that came without any of the API's."""
    if status < 500:
        return "no reason given"
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "unknown"
    return f"{phrase}, not in the API's own words: from a gateway or proxy on the way, it seems"


def _media(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _fault_of_json(body: bytes) -> str | None:
    """What keeps a body from being JSON; what its values are is for their readers."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except RecursionError:  # nested as deep as no reader goes
        return None
    except msgspec.DecodeError as error:
        # Half a surrogate pair is refused too: the name that has it is odd, but the body is whole.
        mended = _SURROGATE.sub(rb"\\ufffd", body)
        return str(error) if mended == body else _fault_of_json(mended)
    return None
