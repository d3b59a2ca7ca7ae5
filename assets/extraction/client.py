"""One key's HTTP connection to the Admin API: asks until there is an answer or no time is left.

Knows nothing of lists, pages or fields. What an answer means stands in `answers`, when a question is asked again and
whose turn it is in `patience`, the way there in `network`, and how much of a body is taken in in `bodies`.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from assets.errors import LicenseHistoryError, ListFailed, WrongUse
from assets.extraction.address import is_loopback, require_address
from assets.extraction.answers import (
    STRANGER,
    Answer,
    NotAvailable,
    Rejected,
    is_json,
    meaning,
    named,
    proxy_refusal,
    require_json,
)
from assets.extraction.api import API_VERSION, USER_AGENT
from assets.extraction.bodies import ACCEPTED, Unreadable, excerpt, whole_body
from assets.extraction.network import Way, ending_within
from assets.extraction.patience import Pace, Passing, Question, server_time

__all__ = ["Answer", "Client", "NotAvailable", "Rejected", "named"]

log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 120.0
"""How long one attempt may take, however steadily it drips: a question has time for several."""
TIMEOUT = httpx.Timeout(connect=10, read=60, write=30, pool=30)


class Client:
    """A keep-alive connection pool for one key. The key stands in no repr, error or log.

    Raises:
        WrongUse: the address, the key, or a variable of the environment (proxies, certificates) cannot be meant.
    """

    def __init__(self, base_url: str, key: str, *, transport: httpx.BaseTransport | None = None) -> None:
        require_address(base_url)
        if not (key.isascii() and key.isprintable()):
            # An HTTP library would say so too, and repeat the key in what it says.
            raise WrongUse("the key holds a line break or another character that no key has: copy it anew.")
        self._key, self._pace = key, Pace()
        self._told_time: tuple[datetime, float] | None = None
        self._http, self._peer = _connection(_without_version(base_url), key, transport)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def take_turns_with(self, other: "Client") -> None:
        """Both keys ask the same organization, whose limit they share."""
        self._pace = other._pace

    @property
    def is_on_this_machine(self) -> bool:
        """Whether it asks a stand-in here, and no real organization."""
        return is_loopback(str(self._http.base_url))

    @property
    def server_time(self) -> datetime | None:
        """What time it is now by the API's latest answer, in UTC; None if it does not say."""
        if self._told_time is None:
            return None
        then, came = self._told_time
        return then + timedelta(seconds=int(monotonic() - came))

    def get(self, path: str, params: Mapping[str, Any], headers: Mapping[str, str], *, deadline: float) -> Answer:
        """Ask until there is an answer, or `deadline` (seconds of `time.monotonic`) has come.

        Raises:
            NotAvailable, Rejected, AccessRefused, ListFailed: as in `answers`.
        """
        question = Question(f"GET {path}", deadline)
        while True:
            with self._pace.turn(question):
                try:
                    return self._ask(path, params, headers, question)
                except Passing as passing:
                    fault = passing
            wait = question.wait_after(fault)
            log.info("%s; asked again in %.0f s", fault, wait)
            if fault.crowded:
                self._pace.hold(question.now() + wait)
            else:
                question.wait(wait)

    def _ask(self, path: str, params: Mapping[str, Any], headers: Mapping[str, str], question: Question) -> Answer:
        with (
            ending_within(question.begin(ATTEMPT_SECONDS)),
            self._faults_named(path),
            self._http.stream("GET", path, params=params, headers=headers) as response,
        ):
            self._pace.told(response.headers, question.now())
            if is_json(response):
                told = server_time(response.headers)
                self._told_time = (told, monotonic()) if told else None
            if response.status_code == 200:
                body = whole_body(response)
                require_json(path, response, body)
                return Answer(body, response.headers.get("request-id"))
            raise meaning(path, response, excerpt(response), self._clean)

    @contextmanager
    def _faults_named(self, path: str) -> Iterator[None]:
        host = self._peer
        try:
            yield
        except Unreadable as error:
            raise ListFailed(f"GET {path} was answered by what no reader takes in: {error}. {STRANGER}") from None
        except (httpx.TimeoutException, httpcore.TimeoutException) as error:
            raise Passing(f"time-out ({type(error).__name__}) from {host}") from None
        except (httpx.ProxyError, httpcore.ProxyError) as error:
            said = self._clean(str(error))
            raise proxy_refusal(path, _status_in(said), said) from None
        except _NEVER_PASSING as error:
            raise ListFailed(f"GET {path} could not be asked of {host}: {self._clean(str(error))}") from None
        except _TRANSPORT as error:
            raise Passing(f"no whole answer from {host}: {self._clean(str(error))}") from None

    def _clean(self, text: str) -> str:
        """What others wrote, without the key should they have repeated it, on one line of bounded length."""
        return " ".join(text.replace(self._key, "[key]").split())[:500]


_NEVER_PASSING = (
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpcore.UnsupportedProtocol,
    httpcore.LocalProtocolError,
)
_TRANSPORT = (httpx.TransportError, httpcore.NetworkError, httpcore.ProtocolError)


def _without_version(base_url: str) -> str:
    """Paths carry their `/v1`; an address that ends in it, as other tools want it, means the same."""
    return base_url.rstrip("/").removesuffix("/v1").rstrip("/")


def _connection(base_url: str, key: str, transport: httpx.BaseTransport | None) -> tuple[httpx.Client, str]:
    """The connection, and whom it is to, as sentences name it."""
    host = urlsplit(base_url).hostname or base_url
    headers = {"x-api-key": key, "anthropic-version": API_VERSION, "user-agent": USER_AGENT}
    try:
        # A proxy is for the way out; a stand-in on this machine is asked directly.
        way = transport or Way(base_url, trust_env=not is_loopback(base_url))
        http = httpx.Client(
            base_url=base_url,
            headers=headers | {"accept-encoding": ACCEPTED},
            timeout=TIMEOUT,
            follow_redirects=False,
            transport=way,
            trust_env=False,
        )
    except LicenseHistoryError:
        raise
    except Exception as error:  # whatever a library makes of an environment; what it says may hold a password
        raise WrongUse(
            f"the way to {host} cannot be set up ({type(error).__name__}): check ANTHROPIC_BASE_URL, the variables of "
            "proxies (HTTPS_PROXY, ALL_PROXY, NO_PROXY) and those of certificates (SSL_CERT_FILE, SSL_CERT_DIR). "
            "Nothing was asked."
        ) from None
    proxy = way.proxy if isinstance(way, Way) else None
    return http, f"{host}, by way of the proxy {proxy}" if proxy else host


def _status_in(said: str) -> int:
    """The status that a proxy's refusal begins with; without one, it may pass like a gateway's fault."""
    return int(said[:3]) if said[:3].isdigit() else 502
