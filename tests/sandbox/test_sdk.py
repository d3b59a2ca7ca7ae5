"""The vendor's own client reads the sandbox, and gets the organization's state."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

import anthropic
import pytest

from sandbox import Organization
from tests.sandbox.clients import NOW, Api


@pytest.fixture(scope="module")
def sdk(api: Api) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        api_key="sk-ant-admin01-sdk",
        base_url=api.base_url,
        max_retries=0,
        http_client=anthropic.DefaultHttpxClient(trust_env=False),
        _strict_response_validation=True,
    ) as client:
        yield client


def test_the_sdk_lists_members(sdk: anthropic.Anthropic, organization: Organization):
    told = [(row.id, row.email, row.name, row.role, row.added_at) for row in sdk.beta.organization.users.list(limit=50)]
    assert told == [(row.id, row.email, row.name, row.role, row.added_at) for row in organization.members(NOW)]


def test_the_sdk_lists_keys(sdk: anthropic.Anthropic, organization: Organization):
    default = organization.default_workspace.id
    told = [
        (row.id, row.name, row.status, row.created_at, row.expires_at, row.scope.to_dict())
        for row in sdk.beta.organization.api_keys.list(limit=25)
    ]
    assert told == [
        (
            *(row.id, row.name, row.status, row.created_at, row.expires_at),
            {"type": "organization"}
            if row.of_organization
            else {"type": "workspace", "workspace_id": row.workspace_id or default},
        )
        for row in organization.api_keys(NOW)
    ]


def test_the_sdk_lists_invites(sdk: anthropic.Anthropic, organization: Organization):
    told = [(row.id, row.status, row.accepted_at) for row in sdk.beta.organization.invites.list(limit=25)]
    assert told == [
        (row.id, row.status, row.accepted_at) for row in organization.invites(NOW) if row.status != "deleted"
    ]
    pending = sdk.beta.organization.invites.list(statuses=["pending"])
    assert {row.status for row in pending} == {"pending"}


def test_the_sdk_lists_workspaces(sdk: anthropic.Anthropic, organization: Organization):
    told = [(row.id, row.name) for row in sdk.beta.organization.workspaces.list(limit=2, include_archived=True)]
    assert told == [(row.id, row.name) for row in organization.workspaces(NOW)]


def test_the_sdk_lists_service_accounts(sdk: anthropic.Anthropic, organization: Organization):
    # Only an OAuth token reads them: with a key, the SDK gets a 403.
    with pytest.raises(anthropic.PermissionDeniedError):
        sdk.beta.organization.service_accounts.list()
    with anthropic.Anthropic(
        auth_token="sk-ant-oat01-sdk",
        base_url=sdk.base_url,
        max_retries=0,
        http_client=anthropic.DefaultHttpxClient(trust_env=False),
    ) as admin:
        rows = admin.beta.organization.service_accounts.list(limit=2, include_archived=True)
        told = [(row.id, row.name) for row in rows]
    assert told == [(row.id, row.name) for row in organization.service_accounts(NOW)]


def test_the_sdk_reads_usage(sdk: anthropic.Anthropic, organization: Organization):
    rows = sdk.beta.organization.analytics.usage.list(
        starting_at="2026-11-16T00:00:00Z",
        ending_at="2026-11-23T00:00:00Z",
        time_bucket_width="1d",
        group_by=["api_key_id", "actor", "product"],
        order_by="time",
        order="asc",
        limit=100,
    )
    told = Counter((row.starting_at.date(), row.group.api_key_id, row.group.product) for row in rows)
    assert told == Counter(
        (use.at.date(), use.api_key_id, use.product)
        for day in range(16, 23)
        for use in organization.usage(date(2026, 11, day))
    )


def test_the_sdk_reads_enterprise_analytics(sdk: anthropic.Anthropic, organization: Organization):
    enterprise = sdk.with_options(api_key="sk-ant-api01-sdk-enterprise")
    rows = list(enterprise.beta.organization.analytics.users.list(date="2026-11-16", limit=40))
    told = {row.user.id: row.last_activity_date for row in rows if row.user}
    uses = organization.usage(date(2026, 11, 16))
    assert told == {use.user_id: date(2026, 11, 16) for use in uses if use.user_id and not use.api_key_id}


def test_the_sdk_names_the_errors(sdk: anthropic.Anthropic, api: Api):
    with pytest.raises(anthropic.NotFoundError):
        sdk.beta.organization.users.list(after_id="user_gone")
    stranger = sdk.with_options(api_key="sk-ant-api03-regular")
    with pytest.raises(anthropic.AuthenticationError):
        stranger.beta.organization.users.list()
