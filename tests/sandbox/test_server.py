"""Lists, keys and their permissions, versions, errors and faults, over real HTTP."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from sandbox import Clock, Fault, FaultPlan, KeyShape, Options, Organization, create_app, serving
from tests.sandbox.clients import NOW, OAUTH, Api, Serve

NEWER = {"anthropic-version": "2026-10-21"}
PATHS = {
    "me": "me",
    "users": "users",
    "invites": "invites",
    "api_keys": "api_keys",
    "workspaces": "workspaces",
    "service_accounts": "service_accounts",
    "usage": "analytics/usage?starting_at=2026-11-20T00:00:00Z",
    "feed": "/v1/compliance/activities",
    "enterprise": "analytics/users?date=2026-11-10",
}


def test_the_organization_says_who_it_is(api: Api, organization: Organization):
    assert api.ok("me") == {"id": organization.id, "type": "organization", "name": "Sandbox & Söhne Ltd"}


def test_users_are_the_members_at_that_time(api: Api, organization: Organization):
    told = api.ok("users", limit=1000)
    members = organization.members(NOW)
    assert told["data"] == [
        {
            "type": "user",
            "id": row.id,
            "email": row.email,
            "name": row.name,
            "role": row.role,
            "added_at": row.added_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        }
        for row in members
    ]
    assert (told["has_more"], told["first_id"], told["last_id"]) == (False, members[0].id, members[-1].id)


def test_the_clock_moves_the_company_on(serve: Serve, organization: Organization):
    api = serve()
    earlier = datetime(2025, 5, 5, 2, tzinfo=UTC)
    api.clock.set(earlier)
    told = [row["id"] for row in api.ok("users", limit=1000)["data"]]
    assert told == [row.id for row in organization.members(earlier)]


def test_users_can_be_found_by_address_and_role(api: Api, organization: Organization):
    someone = next(row for row in organization.members(NOW) if row.email != row.email.lower())
    assert [row["id"] for row in api.ok("users", email=someone.email.upper())["data"]] == [someone.id]
    some = api.ok("users", roles=["admin", "billing"], limit=1000)["data"]
    assert {row["role"] for row in some} == {"admin", "billing"}


def test_older_and_newer_keys_say_the_same_in_their_own_shapes(api: Api, organization: Organization):
    older = api.ok("api_keys", limit=1000)["data"]
    newer = api.ok("api_keys", NEWER, limit=1000)["data"]
    default = organization.default_workspace.id
    for row, old, new in zip(organization.api_keys(NOW), older, newer, strict=True):
        assert old["workspace_id"] == row.workspace_id
        assert "scope" not in old
        if row.of_organization:
            assert new["scope"] == {"type": "organization"}
        else:
            assert new["scope"] == {"type": "workspace", "workspace_id": row.workspace_id or default}
        assert "workspace_id" not in new
        assert (old["principal"] is None) == (new["principal"] is None)
        if row.principal:
            assert old["principal"] == {"id": row.principal.id, "type": row.principal.type}
            assert row.principal.id in new["principal"].values()
        assert "last_used_at" not in old.keys() | new.keys()


@pytest.mark.parametrize(("shape", "field"), [(KeyShape.OLDER, "workspace_id"), (KeyShape.NEWER, "scope")])
def test_a_key_shape_can_be_forced(serve: Serve, shape: KeyShape, field: str):
    api = serve(key_shape=shape)
    for headers in ({}, NEWER):
        assert field in api.ok("api_keys", headers)["data"][0]


def test_keys_may_tell_their_last_use(serve: Serve, organization: Organization):
    told = serve(keys_tell_last_use=True).ok("api_keys", limit=1000)["data"]
    assert {row["last_used_at"] is None for row in told} == {True, False}
    used = next(row for row in told if row["last_used_at"])
    assert datetime.fromisoformat(used["last_used_at"]) == organization.last_use_of_key(used["id"], NOW)


def test_keys_can_be_found_by_status_workspace_and_creator(api: Api, organization: Organization):
    keys, default = organization.api_keys(NOW), organization.default_workspace.id
    creator = next(row.created_by.id for row in keys if row.created_by)
    assert {row["status"] for row in api.ok("api_keys", status="inactive")["data"]} == {"inactive"}
    in_default = [row["id"] for row in api.ok("api_keys", workspace_id=default, limit=1000)["data"]]
    assert in_default == [row.id for row in keys if row.workspace_id is None and not row.of_organization]
    by_creator = [row["id"] for row in api.ok("api_keys", created_by_user_id=creator)["data"]]
    assert by_creator == [row.id for row in keys if row.created_by and row.created_by.id == creator]


def test_invites_of_the_older_version_include_deleted_ones(api: Api, organization: Organization):
    older = {row["id"]: row for row in api.ok("invites", limit=1000)["data"]}
    newer = {row["id"]: row for row in api.ok("invites", NEWER, limit=1000)["data"]}
    statuses = {row.id: row.status for row in organization.invites(NOW)}
    assert {key: row["status"] for key, row in older.items()} == statuses
    assert {*newer} == {key for key, status in statuses.items() if status != "deleted"}
    assert next(iter(newer.values())).keys() - next(iter(older.values())).keys() == {"accepted_at", "rbac_group_ids"}
    assert {row["status"] for row in api.ok("invites", **{"statuses[]": ["pending"]})["data"]} == {"pending"}


def test_workspaces_without_the_archived_and_the_default_one_unless_asked(api: Api, organization: Organization):
    plain = [row["id"] for row in api.ok("workspaces")["data"]]
    everything = [row["id"] for row in api.ok("workspaces", include_archived=True, include_default=True)["data"]]
    rows = organization.workspaces(NOW)
    assert plain == [row.id for row in rows if row.archived_at is None]
    assert everything == [organization.default_workspace.id, *(row.id for row in rows)]


def test_service_accounts_newest_first(api: Api, organization: Organization):
    told = api.ok("service_accounts", OAUTH, include_archived=True)
    assert [row["id"] for row in told["data"]] == [row.id for row in organization.service_accounts(NOW)]
    assert [row["created_at"] for row in told["data"]] == sorted(
        (row["created_at"] for row in told["data"]), reverse=True
    )
    assert told["next_page"] is None
    assert len(api.ok("service_accounts", OAUTH)["data"]) == len(told["data"]) - 1


@pytest.mark.parametrize(
    ("key", "reachable", "refusal"),
    [
        ("sk-ant-admin01-x", {*PATHS} - {"enterprise", "service_accounts"}, {403, 404}),
        ("sk-ant-admin-x", {*PATHS} - {"enterprise", "service_accounts"}, {403, 404}),
        ("sk-ant-admin01-forbidden", set(), {403}),
        ("sk-ant-admin01-members", {"me", "users", "invites"}, {403}),
        ("sk-ant-admin01-keys", {"me", "api_keys", "workspaces", "usage"}, {403}),
        ("sk-ant-admin01-nofeed", {*PATHS} - {"enterprise", "feed", "service_accounts"}, {403, 404}),
        ("sk-ant-api01-x-enterprise", {"me", "users", "invites", "enterprise"}, {404}),
        ("sk-ant-api01-forbidden", set(), {403}),
        ("sk-ant-api03-x", set(), {401}),
        ("sk-ant-oat01-x", set(), {401}),
        ("", set(), {401}),
    ],
)
def test_what_a_key_may(api: Api, key: str, reachable: set[str], refusal: set[int]):
    answers = {name: api.get(path, {"x-api-key": key}).status_code for name, path in PATHS.items()}
    assert {name for name, status in answers.items() if status == 200} == reachable
    assert {*answers.values()} - {200} == refusal


def test_a_bearer_token_is_as_good(api: Api):
    answer = httpx.get(
        f"{api.base_url}/v1/organizations/me",
        headers={"Authorization": "Bearer sk-ant-admin01-x", "anthropic-version": "2026-10-21"},
    )
    assert answer.status_code == 200


def test_an_oauth_token_reads_service_accounts_too_a_hundred_at_a_time(api: Api):
    answers = {name: api.get(path, OAUTH).status_code for name, path in PATHS.items()}
    assert {name for name, status in answers.items() if status != 200} == {"enterprise"}
    assert api.get("service_accounts", OAUTH, limit=100).status_code == 200
    assert api.get("service_accounts", OAUTH, limit=101).status_code == 400


@pytest.mark.parametrize(
    ("path", "params", "headers", "status", "kind"),
    [
        ("users", {}, {"anthropic-version": ""}, 400, "invalid_request_error"),
        ("users", {"limit": 0}, {}, 400, "invalid_request_error"),
        ("users", {"limit": 1001}, {}, 400, "invalid_request_error"),
        ("users", {"limit": "many"}, {}, 400, "invalid_request_error"),
        ("users", {"after_id": "user_gone"}, {}, 404, "not_found_error"),
        ("users", {"after_id": "a", "before_id": "b"}, {}, 400, "invalid_request_error"),
        ("users", {"roles": "emperor"}, {}, 400, "invalid_request_error"),
        ("users", {"colour": "red"}, {}, 400, "invalid_request_error"),
        ("api_keys", {"status": "lost"}, {}, 400, "invalid_request_error"),
        ("nothing", {}, {}, 404, "not_found_error"),
        ("users", {}, {"x-api-key": "sk-ant-api03-regular"}, 401, "authentication_error"),
        ("users", {}, {"x-api-key": "sk-ant-admin01-forbidden"}, 403, "permission_error"),
    ],
)
def test_errors_have_the_apis_form(
    api: Api, path: str, params: dict[str, Any], headers: dict[str, str], status: int, kind: str
):
    answer = api.get(path, headers, **params)
    assert answer.status_code == status
    body = answer.json()
    assert body["type"] == "error"
    assert body["error"]["type"] == kind
    assert body["error"]["message"]
    assert body["request_id"] == answer.headers["request-id"]


def test_a_request_without_a_version_is_refused(api: Api):
    answer = httpx.get(f"{api.base_url}/v1/organizations/me", headers={"x-api-key": "sk-ant-admin01-x"})
    assert answer.status_code == 400
    assert "anthropic-version" in answer.json()["error"]["message"]


def test_a_cursor_whose_member_has_left_is_not_found(serve: Serve, organization: Organization):
    api, earlier = serve(), datetime(2026, 1, 1, tzinfo=UTC)
    staying = {row.id for row in organization.members(NOW)}
    leaver = next(row.id for row in organization.members(earlier) if row.id not in staying)
    api.clock.set(earlier)
    assert api.get("users", after_id=leaver).status_code == 200
    api.clock.set(NOW)
    assert api.get("users", after_id=leaver).status_code == 404


def test_a_server_may_cap_its_pages(serve: Serve, organization: Organization):
    pages = list(serve(page_cap=50).by_id_cursor("users", limit=1000))
    assert [len(page) for page in pages[:-1]] == [50] * (len(pages) - 1)
    assert sum(map(len, pages)) == len(organization.members(NOW))


def test_faults_come_in_turn_and_the_next_try_succeeds(serve: Serve):
    api = serve(fault_plan=FaultPlan(every=2))
    seen: list[str] = []
    for _ in range(10):
        assert api.get("users").status_code == 200
        try:
            answer = api.get("users")
        except httpx.RemoteProtocolError as error:
            seen.append("cut" if "without sending a response" in str(error) else "truncated")
        except httpx.ReadError:
            seen.append("cut")
        else:
            seen.append(str(answer.status_code))
            assert answer.headers["request-id"] == answer.json()["request_id"]
            assert (answer.headers.get("retry-after") == "0") == (answer.status_code == 429)
    assert seen == ["429", "500", "529", "cut", "truncated"] * 2


def test_a_fault_plan_may_hold_a_single_fault(serve: Serve):
    api = serve(fault_plan=FaultPlan(every=1, faults=(Fault.OVERLOADED,)))
    assert api.get("users").json()["error"]["type"] == "overloaded_error"


def test_many_servers_live_and_end_in_one_process(organization: Organization):
    for _ in range(5):
        with serving(create_app(organization, clock=Clock(NOW).now, options=Options())) as url:
            answer = httpx.get(f"{url}/v1/organizations/me", headers={"x-api-key": "sk-ant-admin", **NEWER})
            assert answer.status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/v1/organizations/me")


def test_a_clock_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        Clock(datetime(2026, 11, 24))


def test_latency_is_added(serve: Serve):
    api = serve(latency_seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        api.client.get("/v1/organizations/me", timeout=0.05)


def test_a_company_has_at_least_one_member():
    with pytest.raises(ValueError, match="member"):
        Organization(members=0)
