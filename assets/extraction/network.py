"""The way to the API's host: proxies and certificates as the environment has them, and every read bound by a moment.

What cannot work is said before anything is asked: which variable is to blame, and what to do about it.
"""

import os
import re
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpcore
import httpx

from assets.errors import ListFailed, WrongUse

CONNECTIONS = 16
KEEP_ALIVE_SECONDS = 60.0
_PORTS = {"http": 80, "https": 443}
_HASHED_CERTIFICATE = re.compile(r"[0-9a-f]{8}\.\d+")
_HOST = re.compile(r"[\w.-]+|[0-9a-f]*:[0-9a-f:.]*(%\w+)?")
_ends: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def ending_within(seconds: float) -> Iterator[None]:
    """Whatever this thread reads or writes meanwhile ends with these seconds.

    A library's time-outs are for each read: headers that come byte by byte would never end by them.
    """
    token = _ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


class Way(httpx.BaseTransport):
    """httpx over a pool of connections whose reads end in time, through the proxy that the environment names."""

    def __init__(self, base_url: str, *, trust_env: bool) -> None:
        parts = urlsplit(base_url)
        proxy = _proxy(parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0), trust_env)
        tls = _certificates(trust_env) if parts.scheme == "https" else None
        self.proxy = proxy.url.netloc.decode() if proxy else None
        """The proxy's host and port, to be named where the way fails."""
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            proxy=_as_httpcore(proxy, tls) if proxy else None,
            max_connections=CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=_Network(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                url,
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class _Network(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        bounded = _in_time(timeout, httpcore.ConnectTimeout)
        try:
            return _Stream(super().connect_tcp(host, port, bounded, local_address, socket_options))
        except UnicodeError:
            raise httpcore.UnsupportedProtocol(f"{host} is no host's name") from None


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _in_time(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _in_time(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        bounded = _in_time(timeout, httpcore.ConnectTimeout)
        try:
            return _Stream(self._inner.start_tls(ssl_context, server_hostname, bounded))
        except httpcore.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise _untrusted(server_hostname, error.__cause__) from None
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _in_time(timeout: float | None, too_late: type[Exception]) -> float | None:
    ends = _ends.get()
    if ends is None:
        return timeout
    left = ends - time.monotonic()
    if left <= 0:
        raise too_late("its time was over")
    return left if timeout is None else min(timeout, left)


def _untrusted(host: str | None, error: ssl.SSLCertVerificationError) -> ListFailed:
    """Other faults of TLS may pass; what a certificate says does not change while one waits."""
    return ListFailed(
        f"the certificate that {host} shows is not trusted ({error.verify_message}). If a proxy reads along here, name "
        "its authority's certificates in SSL_CERT_FILE; if the certificate is said to be expired or not yet valid, "
        "check this machine's clock. Nothing was asked."
    )


def _certificates(trust_env: bool) -> ssl.SSLContext:
    """The authorities to trust: those of `SSL_CERT_FILE`, else of `SSL_CERT_DIR`, else the installation's own."""
    file = os.environ.get("SSL_CERT_FILE") if trust_env else None
    folders = os.environ.get("SSL_CERT_DIR") if trust_env else None
    if file:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
        except OSError as error:  # those of TLS are among them
            raise _useless("SSL_CERT_FILE", f"a file of certificates that can be read ({_reason(error)})") from None
    elif folders and not any(map(_holds_certificates, folders.split(os.pathsep))):
        raise _useless("SSL_CERT_DIR", "a folder with certificates under the hashed names that `openssl rehash` gives")
    try:
        return httpx.create_ssl_context(trust_env=trust_env)
    except OSError as error:
        if os.environ.get("SSLKEYLOGFILE"):
            raise _useless("SSLKEYLOGFILE", f"a file that can be written ({_reason(error)})") from None
        raise WrongUse(f"TLS cannot be set up: {_reason(error)}. Install license-history anew.") from None


def _holds_certificates(folder: str) -> bool:
    with suppress(OSError):
        return any(_HASHED_CERTIFICATE.fullmatch(entry.name) for entry in Path(folder).iterdir())
    return False


def _useless(variable: str, wanted: str) -> WrongUse:
    return WrongUse(f"{variable} does not name {wanted}: mend it or unset it. Nothing was asked.")


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _proxy(scheme: str, host: str, port: int, trust_env: bool) -> httpx.Proxy | None:
    """The proxy on the way to a host, by `HTTPS_PROXY` or `ALL_PROXY`, unless `NO_PROXY` names the host."""
    proxies = getproxies() if trust_env else {}
    kind = next((kind for kind in (scheme, "all") if proxies.get(kind)), None)
    if kind is None or _is_named(host, port, proxies.get("no", "")):
        return None
    address, variable = proxies[kind].strip(), f"{kind.upper()}_PROXY"
    try:
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
        usable = _HOST.fullmatch(proxy.url.host) and (proxy.url.port or 1) < 2**16
    except (ValueError, httpx.InvalidURL):
        usable = None
    if not usable:
        raise _useless(variable, "a proxy's address such as http://proxy.example:3128")
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise WrongUse(
            f"{variable} names a SOCKS proxy, for which this installation lacks the package socksio: install it beside "
            f"license-history, name an HTTP proxy in HTTPS_PROXY, or put {host} into NO_PROXY. Nothing was asked."
        )
    return proxy


def _is_named(host: str, port: int, no_proxy: str) -> bool:
    """Whether `NO_PROXY` names a host: itself, a domain or a network that it is in, or everything."""
    for entry in re.split(r"[,\s]+", no_proxy.lower()):
        name = entry.rpartition("://")[2].lstrip("*.").rstrip("/")
        if entry == "*" or (name and f".{host}".endswith(f".{name}")) or name == f"{host}:{port}":
            return True
        with suppress(ValueError):
            if ip_address(host) in ip_network(name.replace("[", "").replace("]", ""), strict=False):
                return True
    return False


def _as_httpcore(proxy: httpx.Proxy, tls: ssl.SSLContext | None) -> httpcore.Proxy:
    url = httpcore.URL(
        scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=proxy.url.raw_path
    )
    return httpcore.Proxy(
        url, auth=proxy.raw_auth, headers=proxy.headers.raw, ssl_context=tls if proxy.url.scheme == "https" else None
    )
