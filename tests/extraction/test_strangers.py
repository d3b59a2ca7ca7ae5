"""Proxies, portals and halves: nothing but the API's own whole JSON is ever taken for data."""

from collections.abc import Callable

import httpx
import pytest

from assets.errors import LicenseHistoryError, ListFailed
from tests.scripted import Nights, ScriptedApi, error, user

Start = Callable[..., Nights]
PORTAL = "<html><body>Please log in to the guest network</body></html>"


def failure_of(nights: Nights) -> str:
    with pytest.raises(ListFailed) as caught:
        nights.observe()
    assert not nights.manifest()["complete"]
    return str(caught.value)


def saying(answer: httpx.Response) -> ScriptedApi:
    api = ScriptedApi(users=[user(1)])
    api.says["users"] = lambda _: answer
    return api


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(nights: Start, status: int):
    api = saying(httpx.Response(status, headers={"location": "/v1/organizations/invites"}))
    told = failure_of(nights(api))
    assert told == (
        f"GET /v1/organizations/users was answered with a redirect (HTTP {status}), which the API never does: a proxy "
        "or portal stands between. Nothing was taken for data; check ANTHROPIC_BASE_URL and the network."
    )


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"content-type": "text/html; charset=utf-8"}, "text/html"),
        ({"content-type": "text/plain"}, "text/plain"),
        ({"content-type": "application/x-ndjson"}, "application/x-ndjson"),
        ({}, "no content type"),
    ],
)
def test_what_is_not_json_by_its_own_word_is_not_data_even_if_it_reads_like_it(
    nights: Start, headers: dict[str, str], named: str
):
    body = b'{"data": [], "has_more": false}'
    told = failure_of(nights(saying(httpx.Response(200, content=body, headers=headers | {"request-id": "req_5"}))))
    assert told.startswith(f"GET /v1/organizations/users was answered with {named} instead of JSON, request id req_5:")


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_may_say_so_in_any_of_its_ways(nights: Start, content_type: str):
    body = b'{"data": [{"id": "user_0001", "role": "user"}], "has_more": false}'
    api = saying(httpx.Response(200, content=body, headers={"content-type": content_type}))
    assert list(nights(api).night()) == ["user_0001"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"data": [{"id": "user_0001", "role": "us',
        b'{"data": [{"id": "user_0001", "role": "user"}], "has_more": false',
        b'{"data": [], "has_more": false}<!-- cached -->',
        b"\xff\xfe",
    ],
)
def test_broken_json_is_not_taken_for_data(nights: Start, body: bytes):
    told = failure_of(nights(saying(httpx.Response(200, content=body, headers={"content-type": "application/json"}))))
    assert "that are no whole JSON" in told


@pytest.mark.parametrize("status", [403, 404])
def test_a_portals_refusal_is_not_taken_for_the_apis(nights: Start, status: int):
    """A page of somebody else's says nothing about what the key may do."""
    told = failure_of(nights(saying(httpx.Response(status, html=PORTAL))))
    assert f"was answered with HTTP {status}, but not in the API's own words" in told


@pytest.mark.parametrize("status", [200, 403])
def test_a_portal_before_everything_fails_with_the_first_question(nights: Start, status: int):
    with pytest.raises(LicenseHistoryError, match="a proxy's or portal's page"):
        nights(lambda _: httpx.Response(status, html=PORTAL)).observe()


def test_an_organization_whose_id_cannot_be_a_folder_is_refused(nights: Start):
    api = ScriptedApi(users=[user(1)])
    for bad in ("../up", "a/b", "", ".hidden", None, 5, "x" * 101, "org_1\n", "NUL", "com1", ".", ".."):
        api.me = {"id": bad, "name": "Acme"}
        with pytest.raises(ListFailed, match=r"me (does not tell whose|tells an id that cannot name a folder)"):
            nights(api).observe()


def test_what_a_server_says_is_told_on_one_short_line_without_the_key(nights: Start):
    api = saying(error(400, "bad\nkey sk-ant-admin01-scripted " + "x" * 2000))
    told = failure_of(nights(api))
    assert "bad key [key] xxx" in told
    assert "\n" not in told
    assert len(told) < 700
