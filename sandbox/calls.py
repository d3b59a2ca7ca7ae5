"""One call to the sandbox's API: its parameters, read strictly, and the errors that it can end in."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from sandbox.access import Access
from sandbox.options import Options
from sandbox.organization import Organization

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    409: "conflict_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
# The SDK marks calls to its beta resources with `?beta=true`; the API passes over it.
_ALWAYS_KNOWN = {"beta"}


class ApiError(Exception):
    """An answer in the API's error form."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, headers or {}

    def body(self, request_id: str) -> dict[str, Any]:
        error: dict[str, Any] = {"type": _ERROR_TYPES.get(self.status, "api_error"), "message": self.message}
        if self.code:
            error["details"] = {"error_code": self.code}
        return {"type": "error", "error": error, "request_id": request_id}


def bad_request(message: str) -> ApiError:
    return ApiError(400, message)


class Query:
    """A call's parameters; anything that is not as the reference has it is a 400."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def allow_only(self, *names: str) -> None:
        for name in self._values.keys() - {*names} - _ALWAYS_KNOWN:
            raise bad_request(f"{name}: Extra inputs are not permitted")

    def text(self, name: str) -> str | None:
        return self._values[name][-1] if name in self._values else None

    def many(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def whole(self, name: str, *, default: int, most: int) -> int:
        text = self.text(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise bad_request(f"{name}: Input should be a whole number from 1 to {most}")
        return int(text)

    def flag(self, name: str) -> bool:
        text = self.text(name) or "false"
        if text not in ("true", "false"):
            raise bad_request(f"{name}: Input should be true or false")
        return text == "true"

    def word(self, name: str, words: Sequence[str], default: str | None = None) -> str | None:
        text = self.text(name)
        if text is not None and text not in words:
            raise bad_request(f"{name}: Input should be one of {', '.join(words)}")
        return text if text is not None else default

    def words(self, name: str, words: Sequence[str]) -> list[str]:
        for text in self.many(name):
            if text not in words:
                raise bad_request(f"{name}: Input should be one of {', '.join(words)}")
        return self.many(name)

    def moment(self, name: str) -> datetime | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            raise bad_request(f"{name}: Input should be an RFC 3339 date and time") from None
        if instant.tzinfo is None:
            raise bad_request(f"{name}: Input should have a time zone")
        return instant.astimezone(UTC)

    def day(self, name: str) -> date | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            return datetime.strptime(text, "%Y-%m-%d").date()
        except ValueError:
            raise bad_request(f"{name}: Input should be a date like 2026-01-31") from None

    def fingerprint(self) -> str:
        """What a page token belongs to: the query without paging."""
        question = sorted((name, values) for name, values in self._values.items() if name not in ("page", "limit"))
        return blake2b(msgspec.json.encode(question), digest_size=6).hexdigest()


class Call(NamedTuple):
    organization: Organization
    options: Options
    access: Access
    query: Query
    headers: Mapping[str, str]
    now: datetime
    newer: bool
    """Whether `anthropic-version` asks for the shapes of 2026-10-21."""

    def rows_per_page(self, limit: int) -> int:
        return min(limit, self.options.page_cap or limit)


class PageToken(msgspec.Struct, frozen=True, array_like=True):
    """Where the next page starts; `as_of` freezes what the pages of one walk show."""

    offset: int
    as_of: datetime
    fingerprint: str
    number: int = 1
    """Of the next page that has rows."""
    after_empty: bool = False

    def text(self) -> str:
        return "page_" + base64.urlsafe_b64encode(msgspec.json.encode(self)).decode()


def page_token(query: Query, as_of: datetime) -> PageToken:
    """The token that the call came with, or the one of a first page."""
    text, fingerprint = query.text("page"), query.fingerprint()
    if text is None:
        return PageToken(0, as_of, fingerprint)
    try:
        token = msgspec.json.decode(base64.urlsafe_b64decode(text.removeprefix("page_")), type=PageToken)
    except (ValueError, msgspec.MsgspecError):
        raise bad_request("page: Invalid page token") from None
    if token.fingerprint != fingerprint:
        raise bad_request("page: The token belongs to another query")
    return token


def token_page(call: Call, rows: Sequence[Any], token: PageToken, size: int) -> tuple[Sequence[Any], str | None]:
    """One page's rows, and the token of the next; where the options say so, an empty page goes before."""
    every = call.options.empty_page_every
    if every and token.number % every == 0 and not token.after_empty and token.offset < len(rows):
        return (), replace(token, after_empty=True).text()
    end = token.offset + size
    following = replace(token, offset=end, number=token.number + 1, after_empty=False)
    return rows[token.offset : end], following.text() if end < len(rows) else None
