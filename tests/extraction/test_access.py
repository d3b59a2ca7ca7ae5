"""What a key may not read is a fact, never an empty list; a key that is refused is the end; several make one whole."""

import time
from collections.abc import Callable

import httpx
import pytest

from assets.errors import AccessRefused, LicenseHistoryError, ListFailed, WrongUse
from assets.extraction import patience
from assets.extraction.api import API_KEYS, USERS
from assets.extraction.client import Client
from assets.extraction.organizations import Access, Credential, KeyHolder, opened, require_complementary
from sandbox import serving
from tests.scripted import (
    KEY,
    ORGANIZATION,
    Nights,
    ScriptedApi,
    api_key,
    as_app,
    error,
    invite,
    user,
)

Start = Callable[..., Nights]


def company(**refused: int) -> ScriptedApi:
    """Two members, a key and an invite; `refused` lists answer with the status given."""
    api = ScriptedApi(users=[user(1), user(2)], api_keys=[api_key(1)], invites=[invite(1)])
    for name, status in refused.items():
        api.says[name] = lambda _, status=status: error(status, "not for you")  # type: ignore[misc]
    return api


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("name", ["invites", "workspaces"])
def test_a_list_that_the_key_may_not_read_is_recorded_and_the_rest_goes_on(nights: Start, name: str, status: int):
    made = nights(company(**{name: status}))
    snapshot = made.night()
    told = made.manifest()
    assert told["complete"]
    assert told["lists"][name]["state"] == "not available"
    assert told["lists"][name]["reason"].startswith(f"HTTP {status}")
    assert told["lists"][name]["reason"].endswith("not for you, request id req_42")
    assert {"user_0001", "user_0002", "apikey_0001"} <= set(snapshot)
    assert all(told["lists"][other]["state"] == "complete" for other in ("users", "api_keys"))
    assert not (made.data.root / "landing/org_1/2026-06-01" / told["observation"] / f"{name}.jsonl.zst").exists()


def test_an_empty_list_is_complete_and_is_not_the_same_as_one_that_may_not_be_read(nights: Start):
    made = nights(ScriptedApi(users=[user(1)]))
    made.night()
    keys = made.manifest()["lists"]["api_keys"]
    assert (keys["state"], keys["rows"], keys["pages"]) == ("complete", 0, 1)
    assert (made.facts().api_keys, made.facts().invites) == (0, 0)


@pytest.mark.parametrize(
    ("refused", "unknown", "known"),
    [
        ("users", ["members"], {"apikey_0001", "invite_0001"}),
        ("api_keys", ["API keys"], {"user_0001", "user_0002", "invite_0001"}),
        ("invites", ["invites"], {"user_0001", "user_0002", "apikey_0001"}),
    ],
)
def test_what_could_not_be_read_is_unknown_and_not_zero(
    nights: Start, refused: str, unknown: list[str], known: set[str]
):
    made = nights(company(**{refused: 403}))
    assert set(made.night()) == known
    facts = made.facts()
    assert facts.unknown == unknown
    assert getattr(facts, refused) is None


def test_the_owner_of_a_key_is_unknown_and_not_gone_where_members_cannot_be_read(nights: Start):
    creator = {"id": "user_0001", "type": "user"}
    made = nights(ScriptedApi(api_keys=[api_key(1, created_by=creator)]))
    assert made.night()["apikey_0001"]["owner_status"] == "left"
    made.api.says["users"] = lambda _: error(403)
    assert made.night()["apikey_0001"]["owner_status"] == "unknown"


def test_an_organization_of_which_neither_members_nor_keys_can_be_read_fails(nights: Start):
    made = nights(company(users=403, api_keys=404))
    with pytest.raises(AccessRefused) as caught:
        made.observe()
    told = str(caught.value)
    assert told.startswith("neither its members nor its API keys can be read with the given key: members: HTTP 403,")
    assert "API keys: HTTP 404" in told
    assert "organization-admin permission" in told
    assert "request id req_42" in told
    assert not made.manifest()["complete"]


def test_a_refused_key_fails_at_once_with_the_advice_of_readme(nights: Start):
    api = ScriptedApi()
    api.says["me"] = lambda _: error(401, "invalid x-api-key")
    with pytest.raises(AccessRefused) as caught:
        nights(api).observe()
    assert str(caught.value) == (
        "the API refused the key (HTTP 401, authentication_error: invalid x-api-key, request id req_42). Check that "
        "it is an Admin key (they start with sk-ant-admin), not a regular API key, and that it was neither revoked "
        "nor has expired."
    )
    assert len(api.asked) == 1


def test_a_key_that_is_revoked_while_the_roster_is_read_fails_the_observation(nights: Start):
    made = nights(company(api_keys=401))
    with pytest.raises(AccessRefused, match="the API refused the key"):
        made.observe()
    assert not made.manifest()["complete"]


def test_a_key_that_may_not_say_whose_it_is_gets_the_advice_of_readme(nights: Start):
    with pytest.raises(AccessRefused, match=r"may not read its own organization .HTTP 403.*organization-admin"):
        nights(company(me=403)).observe()


@pytest.mark.parametrize("name", [7, ["Acme"], {"en": "Acme"}, None])
def test_an_organization_whose_name_cannot_be_read_is_observed_all_the_same(nights: Start, name: object):
    api = company()
    api.me["name"] = name
    made = nights(api)
    assert set(made.night()) == {"user_0001", "user_0002", "apikey_0001", "invite_0001"}
    assert made.facts().organization_name in (None, "the organization")


@pytest.mark.parametrize(
    ("me", "told"),
    [
        ({"id": "../org"}, r"tells an id that cannot name a folder: '\.\./org'\. The API's are one plain word\."),
        ({"id": "日本"}, r"tells an id that cannot name a folder: '\\u65e5\\u672c'"),
        ({"id": "o" * 500}, "tells an id that cannot name a folder: 'o{119}\\. "),
        ({"id": ""}, "does not tell whose the key is: "),
        ({"id": 7}, "does not tell whose the key is: "),
        ({}, "does not tell whose the key is: "),
        ([], "does not tell whose the key is: "),
    ],
    ids=ascii,
)
def test_a_key_that_does_not_tell_its_organization_fails_with_what_was_told(nights: Start, me: object, told: str):
    api = company()
    api.says["me"] = lambda _: httpx.Response(200, json=me)
    with pytest.raises(ListFailed, match=rf"^GET /v1/organizations/me {told}") as failed:
        nights(api).observe()
    assert str(failed.value).endswith("Nothing was taken for data.")
    assert r"\A" not in str(failed.value)


def test_every_question_carries_key_version_and_who_asks(nights: Start):
    api = company()
    nights(api).observe()
    for request in api.asked:
        assert request.headers["x-api-key"] == KEY
        assert request.headers["anthropic-version"] == "2023-06-01"
        assert request.headers["user-agent"].startswith("license-history/")
    assert all(request.url.params["limit"] == "1000" for request in api.asked if request.url.path.endswith("/users"))


MEMBERS_KEY, KEYS_KEY = "sk-ant-admin01-members", "sk-ant-admin01-keys"


def by_key(members: ScriptedApi, keys: ScriptedApi) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: (members if request.headers["x-api-key"] == MEMBERS_KEY else keys)(request)


def test_two_keys_that_complete_each_other_make_one_snapshot(nights: Start):
    made = nights(by_key(company(api_keys=403, workspaces=403), company(users=403, invites=403)), MEMBERS_KEY, KEYS_KEY)
    assert set(made.night()) == {"user_0001", "user_0002", "apikey_0001", "invite_0001"}
    assert made.facts().unknown == []
    lists = made.manifest()["lists"]
    assert {name: lists[name]["key"] for name in ("users", "api_keys")} == {"users": "KEY_1", "api_keys": "KEY_2"}


def test_the_order_of_two_keys_does_not_matter(nights: Start):
    made = nights(by_key(company(api_keys=403), company(users=403)), KEYS_KEY, MEMBERS_KEY)
    assert set(made.night()) == {"user_0001", "user_0002", "apikey_0001", "invite_0001"}


@pytest.mark.parametrize(
    ("first", "second", "noun"),
    [
        (company(api_keys=403), company(), "members"),
        (company(users=403), company(), "API keys"),
        (company(), company(), "members"),
    ],
)
def test_two_keys_that_read_the_same_list_are_an_error_that_says_so(
    nights: Start, first: ScriptedApi, second: ScriptedApi, noun: str
):
    made = nights(by_key(first, second), MEMBERS_KEY, KEYS_KEY)
    with pytest.raises(WrongUse) as caught:
        made.observe()
    assert str(caught.value) == (
        f"KEY_1 and KEY_2 are keys of the same organization, Acme (org_1), and each of them can list its {noun}: name "
        "only one of them, or keys that complete each other."
    )
    assert not made.data.root.exists()


def test_one_key_is_never_asked_twice_whether_it_may(nights: Start):
    api = company()
    with Client("https://api.test", KEY, transport=httpx.MockTransport(api)) as client:
        require_complementary(Access(ORGANIZATION, "label", (KeyHolder("KEY", client),)))  # type: ignore[arg-type]
    assert api.asked == []


def test_keys_are_grouped_by_the_organization_that_they_name_and_one_that_fails_fails_alone():
    def answer(request: httpx.Request) -> httpx.Response:
        name = request.headers["x-api-key"].removeprefix("sk-ant-")
        return error(401) if name == "bad" else httpx.Response(200, json={"id": f"org_{name[0]}", "name": name})

    with serving(as_app(answer)) as url:
        asked = [Credential(f"Company {name}", f"KEY_{name}", f"sk-ant-{name}") for name in ("a1", "bad", "b", "a2")]
        with opened(asked, url) as (accesses, failures):
            assert {access.organization.id: [holder.key_env for holder in access.keys] for access in accesses} == {
                "org_a": ["KEY_a1", "KEY_a2"],
                "org_b": ["KEY_b"],
            }
        assert [failure.organization for failure in failures] == ["Company bad"]
        assert failures[0].sentence.startswith("Company bad (KEY_bad): the API refused the key (HTTP 401")


def test_keys_of_one_organization_take_turns_as_its_limit_is_theirs_together(monkeypatch: pytest.MonkeyPatch):
    waits, now = list[float](), time.monotonic()
    monkeypatch.setattr(patience, "sleep", waits.append)
    monkeypatch.setattr(patience, "monotonic", lambda: now)
    told = {"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2026-06-01T12:00:40Z"}
    date = {"date": "Mon, 01 Jun 2026 12:00:00 GMT"}

    def answer(request: httpx.Request) -> httpx.Response:
        exhausted = told if request.url.path.endswith("/users") else {}
        name = request.headers["x-api-key"].removeprefix("sk-ant-")
        return httpx.Response(200, json={"id": f"org_{name[0]}", "data": []}, headers=date | exhausted)

    asked = [Credential(name, f"KEY_{name}", f"sk-ant-{name}") for name in ("a1", "b", "a2")]
    with serving(as_app(answer)) as url, opened(asked, url) as (accesses, _):
        (first, second), (other,) = ([holder.client for holder in access.keys] for access in accesses)
        first.get(USERS.path, {}, {}, deadline=now + 60)
        other.get(API_KEYS.path, {}, {}, deadline=now + 60)
        assert waits == []
        second.get(API_KEYS.path, {}, {}, deadline=now + 60)
    assert 39 < waits[0] < 46


@pytest.mark.parametrize("key", ["sk-ant-admin01-two\nlines", "sk-ant-admin01-dash–", "sk-ant-admin01-x\x00"])
def test_a_key_that_cannot_travel_is_refused_without_being_repeated(key: str):
    """An HTTP library's complaint of an illegal header would hold it in full."""
    with opened([Credential("Acme", "KEY", key)], "http://127.0.0.1:9") as (accesses, failures):
        assert accesses == []
    assert [failure.sentence for failure in failures] == [
        "The key for Acme, in KEY, holds a line break or another character that no key has: copy it anew. Nothing was "
        "asked."
    ]


def test_a_key_stands_in_no_repr():
    credential = Credential("Acme", "KEY", KEY)
    with Client("https://api.test", KEY) as client:
        assert KEY not in repr(credential) + repr(KeyHolder("KEY", client)) + repr(client) + str(
            vars(credential.__class__)
        )


def test_the_key_is_taken_out_of_whatever_a_server_or_library_says():
    def echo(request: httpx.Request) -> httpx.Response:
        return error(400, f"who is {request.headers['x-api-key']}?")

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"{request.headers['x-api-key']} reset")

    for handler in (echo, broken):
        with Client("https://api.test", KEY, transport=httpx.MockTransport(handler)) as client:
            with pytest.raises(LicenseHistoryError) as caught:
                client.get("/x", {}, {}, deadline=time.monotonic() + 60)
            assert KEY not in str(caught.value)
            assert "[key]" in str(caught.value)
