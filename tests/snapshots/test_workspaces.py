"""Where a key belongs, as far as its shape says so; and which workspace is the default one, never guessed by name."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.scripted import Nights, Row, ScriptedApi, api_key, error, user, workspace

Start = Callable[..., Nights]
DEFAULT = {"id": "wrkspc_d", "name": "Default"}


def with_default(api: ScriptedApi) -> ScriptedApi:
    """A server that lists the default workspace to who asks for it."""

    def workspaces(request: httpx.Request) -> httpx.Response:
        rows = api.lists["workspaces"]
        own = [DEFAULT] if request.url.params.get("include_default") == "true" else []
        return httpx.Response(200, json={"data": own + rows, "has_more": False, "first_id": None, "last_id": None})

    api.says["workspaces"] = workspaces
    return api


def refusing_default(api: ScriptedApi) -> ScriptedApi:
    """One that does not know the parameter."""
    api.says["workspaces"] = lambda request: (
        error(400, "include_default: unknown") if "include_default" in request.url.params else api.answer(request)
    )
    return api


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"workspace_id": "wrkspc_1"}, ("wrkspc_1", "workspace")),
        ({"workspace_id": None}, (None, None)),
        ({"scope": {"type": "workspace", "workspace_id": "wrkspc_1"}, "workspace_id": None}, ("wrkspc_1", "workspace")),
        ({"scope": {"type": "organization"}, "workspace_id": None}, (None, "organization")),
        # the deprecated field beside a scope is not asked
        ({"scope": {"type": "organization"}, "workspace_id": "wrkspc_1"}, (None, "organization")),
        ({"scope": {"type": "organization"}}, (None, "organization")),
    ],
)
def test_a_keys_scope_is_trusted_and_an_older_shape_leaves_it_open(
    nights: Start, place: Row, expected: tuple[Any, ...]
):
    row = nights(ScriptedApi(api_keys=[api_key(1, **place)], workspaces=[workspace(1)])).night()["apikey_0001"]
    assert (row["workspace_id"], row["key_scope"]) == expected


def test_members_and_invites_have_no_scope(nights: Start):
    assert nights(ScriptedApi(users=[user(1)])).night()["user_0001"]["key_scope"] is None


def test_the_default_workspace_is_what_the_list_with_it_has_and_the_one_without_lacks(nights: Start):
    key = api_key(1, scope={"type": "workspace", "workspace_id": "wrkspc_d"})
    api = with_default(ScriptedApi(api_keys=[key, api_key(2, workspace_id=None)], workspaces=[workspace(1)]))
    made = nights(api)
    assert made.night()["apikey_0001"]["workspace_name"] == "Default"
    assert (made.facts().workspaces_known, made.facts().default_workspace) == (True, "wrkspc_d")
    asked = [request.url.params for request in api.asked if request.url.path.endswith("/workspaces")]
    assert [(one.get("include_default"), one["include_archived"]) for one in asked] == [
        ("true", "true"),
        (None, "true"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "default"),
    [
        ([{"scope": {"type": "workspace", "workspace_id": "wrkspc_d"}}, {"workspace_id": "wrkspc_1"}], "wrkspc_d"),
        # an organization's key is of none
        (
            [{"scope": {"type": "workspace", "workspace_id": "wrkspc_d"}}, {"scope": {"type": "organization"}}],
            "wrkspc_d",
        ),
        # two that the list lacks, or keys of the shape that never names it
        ([{"workspace_id": "wrkspc_d"}, {"workspace_id": "wrkspc_e"}], None),
        ([{"workspace_id": "wrkspc_d"}, {"workspace_id": None}], None),
        ([{"workspace_id": "wrkspc_1"}], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("ignoring", [False, True], ids=["refused", "ignored"])
def test_without_such_a_list_it_is_the_only_one_that_keys_bear_and_the_list_lacks(
    nights: Start, keys: list[Row], default: str | None, ignoring: bool
):
    api = ScriptedApi(api_keys=[api_key(n, **place) for n, place in enumerate(keys)], workspaces=[workspace(1)])
    made = nights(api if ignoring else refusing_default(api))
    made.night(guard=None)
    assert (made.facts().workspaces_known, made.facts().default_workspace) == (True, default)
    assert made.manifest()["lists"]["workspaces"]["state"] == "complete"


def test_a_workspace_called_default_is_not_taken_for_it(nights: Start):
    made = nights(ScriptedApi(users=[user(1)], workspaces=[workspace(1, name="Default")]))
    made.night()
    assert made.facts().default_workspace is None


def test_a_workspace_that_is_made_between_the_two_lists_is_not_taken_for_it(nights: Start):
    turns = iter([[workspace(1)], [workspace(1), workspace(2)]])
    api = ScriptedApi(users=[user(1)])
    api.says["workspaces"] = lambda _: httpx.Response(200, json={"data": next(turns), "has_more": False})
    made = nights(api)
    made.night()
    assert made.facts().default_workspace is None


def test_an_organization_of_a_type_that_has_no_workspaces_is_a_fact_with_its_reason(nights: Start):
    api = ScriptedApi(users=[user(1)], api_keys=[api_key(1, workspace_id="wrkspc_1")])
    api.says["workspaces"] = lambda _: error(400, "organization_type_not_supported")
    made = nights(api)
    assert made.night()["apikey_0001"]["workspace_name"] is None
    told = made.manifest()["lists"]["workspaces"]
    assert told["state"] == "not available"
    assert "organization_type_not_supported" in told["reason"]
    assert (made.facts().workspaces_known, made.facts().default_workspace) == (False, None)
    assert "workspaces_listed" not in made.manifest()["lists"]


def test_a_key_whose_scope_names_what_the_deprecated_field_leaves_null_shows_the_default_workspace(nights: Start):
    """Whatever the list of workspaces says, and where it cannot be read at all; another key shows the field in use."""
    scoped = {"type": "workspace", "workspace_id": "wrkspc_1"}
    default = {"type": "workspace", "workspace_id": "wrkspc_0"}
    other = api_key(1, workspace_id="wrkspc_1", scope=scoped)
    made = nights(ScriptedApi(users=[user(1)], api_keys=[other, api_key(2, workspace_id=None, scope=default)]))
    made.api.says["workspaces"] = lambda _: error(403)
    made.night()
    assert made.facts().default_workspace == "wrkspc_0"
    unused = nights(ScriptedApi(users=[user(1)], api_keys=[api_key(1, scope=scoped), api_key(2, scope=default)]))
    unused.api.says["workspaces"] = lambda _: error(403)
    unused.night()
    assert unused.facts().default_workspace is None
