"""Proxies, certificates and addresses as they stand in an environment: each works, or is one sentence at the start."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import certifi
import httpcore
import httpx
import pytest

from assets.errors import ListFailed, WrongUse
from assets.extraction.client import Client
from sandbox import serving
from tests.scripted import KEY, ScriptedApi, as_app, error, page

API = "https://api.test"
SECRET = "pa55word"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch):
    for name in [*os.environ]:
        if name.lower().endswith("_proxy") or name.startswith("SSL"):
            monkeypatch.delenv(name)


def ask(url: str = API, seconds: float = 300) -> bytes:
    with Client(url, KEY) as client:
        return client.get("/v1/organizations/me", {}, {}, deadline=time.monotonic() + seconds).body


@contextmanager
def saying(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Somebody who answers every question with this: their address, and what they were asked."""
    asked: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(65_536))
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=[listener], daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)


def refusing(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "address",
    [
        "http://",
        "http://:3128",
        "http://proxy.test:99999",
        "http://proxy.test:port",
        "http://two words",
        f"http://user:{SECRET}@[::1",
        f"ftp://user:{SECRET}@proxy.test",
        "socks4://proxy.test:1080",
    ],
)
def test_a_proxy_that_cannot_be_one_is_told_at_the_start_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, address: str
):
    monkeypatch.setenv(variable, address)
    with pytest.raises(WrongUse) as caught:
        Client(API, KEY)
    assert str(caught.value) == (
        f"{variable.upper()} does not name a proxy's address such as http://proxy.example:3128: mend it or unset it. "
        "Nothing was asked."
    )


@pytest.mark.parametrize("address", ["socks5://proxy.test:1080", "socks5h://user:pass@proxy.test"])
def test_a_socks_proxy_without_the_package_for_it_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, address: str
):
    monkeypatch.setattr("assets.extraction.network.find_spec", lambda name: None)
    monkeypatch.setenv("ALL_PROXY", address)
    with pytest.raises(WrongUse, match=r"ALL_PROXY names a SOCKS proxy.* socksio.* HTTPS_PROXY, or put api\.test into"):
        Client(API, KEY)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    Client(API, KEY).__exit__()
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("NO_PROXY", "api.test")
    Client(API, KEY).__exit__()


@pytest.mark.parametrize(
    ("no_proxy", "host", "asked_directly"),
    [
        ("fd00::/8", "api.test", False),
        ("::1/128,[fe80::1]:80,fe80::1%eth0,::ffff:0:0/96", "api.test", False),
        ("fd00::/8", "[fd00::17]", True),
        ("[fd00::17]", "[fd00::17]", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3/8", "10.9.9.9", True),
        ("api.test", "api.test", True),
        (".test", "api.test", True),
        ("*.test", "api.test", True),
        ("test", "api.test", True),
        ("pi.test", "api.test", False),
        ("other.test, API.TEST", "api.test", True),
        ("other.test api.test", "api.test", True),
        ("https://api.test/", "api.test", True),
        ("api.test:443", "api.test", True),
        ("api.test:80", "api.test", False),
        ("*", "api.test", True),
        ("other.test,*", "api.test", True),
        (",, ,.,/,://,*.", "api.test", False),
        ("10.0.0.0/99,[::1,http://[", "api.test", False),
    ],
)
def test_no_proxy_may_name_hosts_domains_and_networks_and_hold_whatever_else(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, host: str, asked_directly: bool
):
    def connect(_: object, host: str, *rest: object) -> httpcore.NetworkStream:
        raise httpcore.ConnectError(f"on the way to {host}")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    with pytest.raises(ListFailed) as caught:
        ask(f"https://{host}", seconds=1)
    assert caught.match(f"on the way to {host.strip('[]') if asked_directly else 'proxy.test'}".replace(".", r"\."))
    assert ("by way of the proxy proxy.test:3128" in str(caught.value)) is not asked_directly


@pytest.mark.parametrize("spelled", ["http://user:{}@{}", "HTTP://user:{}@{}/", "user:{}@{}"])
def test_a_proxy_that_wants_a_password_is_told_for_what_it_is(monkeypatch: pytest.MonkeyPatch, spelled: str):
    with saying(refusing("407 Proxy Authentication Required")) as (proxy, asked):
        monkeypatch.setenv("HTTPS_PROXY", spelled.format(SECRET, proxy))
        with pytest.raises(ListFailed) as caught:
            ask()
    assert str(caught.value) == (
        "GET /v1/organizations/me did not get through the proxy, which asks for a user and a password (HTTP 407): put "
        "them into the proxy's address, as in HTTPS_PROXY=http://user:password@proxy.example:3128. Nothing was asked."
    )
    assert [line.startswith(b"CONNECT api.test:443") for line in asked] == [True]
    assert KEY.encode() not in asked[0]


def test_a_proxy_that_refuses_the_way_is_told_at_once(monkeypatch: pytest.MonkeyPatch):
    with saying(refusing("403 Forbidden")) as (proxy, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
        with pytest.raises(ListFailed, match="did not get through the proxy, which answered 403 Forbidden"):
            ask()
    assert len(asked) == 1


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable", "429 Too Many Requests"])
def test_a_proxy_that_is_in_trouble_is_tried_again(monkeypatch: pytest.MonkeyPatch, status: str):
    with saying(refusing(status)) as (proxy, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
        with pytest.raises(ListFailed, match=f"at last with: the proxy answered {status}"):
            ask()
    assert len(asked) > 5


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@127.0.0.1:9")
    with pytest.raises(ListFailed, match=r"from api\.test, by way of the proxy 127\.0\.0\.1:9: .*refused") as caught:
        ask()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "environment",
    [
        {"HTTP_PROXY": "http://[", "HTTPS_PROXY": "http://[", "ALL_PROXY": "socks5://x"},
        {"NO_PROXY": "fd00::/8"},
        {"SSL_CERT_FILE": "/not/there"},
    ],
)
def test_a_stand_in_on_this_machine_is_asked_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with serving(as_app(ScriptedApi())) as url:
        assert b"org_1" in ask(url)


def test_certificates_that_cannot_be_read_are_told_at_the_start_by_their_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    empty = tmp_path / "empty.pem"
    empty.touch()
    garbage = tmp_path / "garbage.pem"
    garbage.write_bytes(b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    for file in (tmp_path / "not there.pem", empty, garbage, tmp_path):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with pytest.raises(
            WrongUse, match=r"^SSL_CERT_FILE does not name a file of certificates that can be .+ \(.+\)"
        ):
            Client(API, KEY)
    monkeypatch.delenv("SSL_CERT_FILE")
    for folders in (tmp_path / "not there", tmp_path, empty, f"{tmp_path}{os.pathsep}{tmp_path}"):
        monkeypatch.setenv("SSL_CERT_DIR", str(folders))
        with pytest.raises(WrongUse, match=r"^SSL_CERT_DIR does not name a folder with certificates"):
            Client(API, KEY)
    monkeypatch.delenv("SSL_CERT_DIR")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "not there" / "keys"))
    with pytest.raises(WrongUse, match=r"^SSLKEYLOGFILE does not name a file that can be written"):
        Client(API, KEY)


def test_certificates_that_can_be_read_and_empty_variables_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "0a1b2c3d.0").write_bytes(Path(certifi.where()).read_bytes())
    for variable, value in [
        ("SSL_CERT_FILE", certifi.where()),
        ("SSL_CERT_FILE", ""),
        ("SSL_CERT_DIR", f"/not/there{os.pathsep}{tmp_path}"),
        ("SSL_CERT_DIR", ""),
    ]:
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            Client(API, KEY).__exit__()


class Shown(httpcore.NetworkStream):
    """A connection whose TLS fails."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def start_tls(self, *_: object, **__: object) -> httpcore.NetworkStream:
        raise httpcore.ConnectError(self.fault) from self.fault

    def close(self) -> None:
        pass


def test_a_certificate_that_is_not_trusted_is_told_at_once_and_other_faults_of_tls_are_tried_again(
    monkeypatch: pytest.MonkeyPatch,
):
    tried: list[str] = []
    untrusted = ssl.SSLCertVerificationError(1, "certificate verify failed")
    untrusted.verify_message = "self-signed certificate"
    shown: list[Exception] = [untrusted]

    def connect(_: object, host: str, *rest: object) -> httpcore.NetworkStream:
        tried.append(host)
        return Shown(shown[0])

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    with pytest.raises(ListFailed, match=r"that api\.test shows is not trusted \(self-signed certificate\)"):
        ask()
    assert tried == ["api.test"]
    shown[0] = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
    with pytest.raises(ListFailed, match=r"at last with: no whole answer from api\.test: .*EOF occurred"):
        ask()
    assert len(tried) > 5


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/", "//v1//"])
@pytest.mark.parametrize("prefix", ["", "/anthropic"])
def test_an_address_may_end_in_its_version_and_stand_below_another_path(prefix: str, ending: str):
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return page([])

    with Client(f"https://api.test{prefix}{ending}", KEY, transport=httpx.MockTransport(handler)) as client:
        client.get("/v1/organizations/users", {}, {}, deadline=time.monotonic() + 60)
    assert asked == [f"{prefix}/v1/organizations/users"]


@pytest.mark.parametrize("url", ["https://a..b", f"https://{'x' * 70}.test"])
def test_a_host_that_cannot_be_one_is_told_at_once(url: str):
    with pytest.raises(ListFailed, match="is no host's name"):
        ask(url)


def test_what_nobody_foresaw_of_an_environment_is_one_sentence_without_its_values(monkeypatch: pytest.MonkeyPatch):
    def broken(**_: object) -> None:
        raise RuntimeError(f"{KEY} {SECRET}")

    monkeypatch.setattr(httpx, "Client", broken)
    with pytest.raises(WrongUse, match=r"the way to api\.test cannot be set up \(RuntimeError\): check") as caught:
        Client(API, KEY)
    assert KEY not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_gateway_is_named_as_such_and_its_password_page_is_no_refusal_of_the_key():
    def told(answer: httpx.Response) -> str:
        with (
            Client("https://api.test", KEY, transport=httpx.MockTransport(lambda _: answer)) as client,
            pytest.raises(ListFailed) as caught,
        ):
            client.get("/v1/organizations/me", {}, {}, deadline=time.monotonic() + 60)
        return str(caught.value)

    for status, phrase in [(502, "Bad Gateway"), (503, "Service Unavailable"), (504, "Gateway Timeout")]:
        page_for_people = httpx.Response(status, html=f"<h1>{status}</h1>")
        assert f"HTTP {status}, {phrase}, not in the API's own words: from a gateway" in told(page_for_people)
        assert "gateway" not in told(error(status))
    assert "asks for a user and a password (HTTP 407)" in told(httpx.Response(407))
    assert "HTTP 401, but not in the API's own words" in told(httpx.Response(401, html="<h1>Who?</h1>"))
