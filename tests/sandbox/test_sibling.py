"""A linked sibling of the same parent: in the Activity Feed always, in the usage report of a parent's key."""

from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest

from sandbox import Organization, Quirks
from tests.sandbox.clients import NOW, Api, Serve

FEED = "/v1/compliance/activities"
DAYS = {
    "starting_at": "2026-11-16T00:00:00Z",
    "ending_at": "2026-11-23T00:00:00Z",
    "time_bucket_width": "1d",
    "limit": 1000,
}


@pytest.fixture(scope="module")
def sister() -> Organization:
    return Organization("sister", quirks=Quirks(shares_people_with="sandbox"))


@pytest.fixture(scope="module")
def family(serve: Serve, sister: Organization) -> Api:
    return serve(sibling=sister, parent_reports=True)


def test_the_feed_tells_both_organizations_newest_first(family: Api, organization: Organization, sister: Organization):
    told = [*chain(*family.by_id_cursor(FEED, limit=150))]
    expected = organization.activities(NOW) + sister.activities(NOW)
    assert {entry["id"] for entry in told} == {entry.id for entry in expected}
    assert len(told) == len(expected)
    instants = [datetime.fromisoformat(entry["created_at"]) for entry in told]
    assert instants == sorted(instants, reverse=True)
    ours = {entry.id for entry in organization.activities(NOW)}
    for entry in told:
        own = organization if entry["id"] in ours else sister
        assert (entry["organization_id"], entry["organization_uuid"]) == (own.tagged_id, own.id)


def test_the_merged_feed_is_walked_backwards_as_well(family: Api):
    everything = [*chain(*family.by_id_cursor(FEED, limit=5000))]
    pages = list(family.by_id_cursor(FEED, cursor="before_id", limit=400, before_id=everything[-1]["id"]))
    assert [*chain(*reversed(pages))] == everything[:-1]


def test_the_feed_can_be_filtered_by_organization(family: Api, organization: Organization, sister: Organization):
    def told(*ids: str) -> set[str]:
        rows = family.ok(FEED, **{"limit": 5000, "organization_ids[]": [*ids]})["data"]
        return {row["organization_uuid"] for row in rows}

    assert told(organization.id) == {organization.id}
    assert told(sister.tagged_id) == {sister.id}
    assert told(organization.tagged_id, sister.id) == {organization.id, sister.id}
    assert told("org_of_strangers") == set()


def test_an_older_server_passes_over_the_filter(serve: Serve, organization: Organization, sister: Organization):
    older = serve(sibling=sister, feed_ignores_organization_ids=True)
    rows = older.ok(FEED, **{"limit": 5000, "organization_ids[]": organization.id})["data"]
    assert {row["organization_id"] for row in rows} == {organization.tagged_id, sister.tagged_id}


def test_entries_may_name_their_organization_by_its_tagged_id_alone(serve: Serve, sister: Organization):
    rows = serve(sibling=sister, feed_tells_uuid=False).ok(FEED, limit=1000)["data"]
    assert {row["organization_uuid"] for row in rows} == {None}
    assert len({row["organization_id"] for row in rows}) == 2
    assert all(row["organization_id"].startswith("org_") for row in rows)


def test_some_people_are_in_both_and_are_removed_from_the_sibling_alone(
    family: Api, organization: Organization, sister: Organization
):
    ours, theirs = organization.until(NOW).members, sister.until(NOW).members
    shared = {span.row.id for span in ours.spans} & {span.row.id for span in theirs.spans}
    still = {row.id for row in organization.members(NOW)}
    assert len(shared) == 3
    assert shared <= still
    assert not shared & {row.id for row in sister.members(NOW)}
    before = datetime(2026, 1, 1, tzinfo=UTC)
    assert shared <= {row.id for row in sister.members(before)}
    for user_id in shared:
        assert theirs.last_known(user_id, before) is not None
        assert ours.last_known(user_id, before).email == theirs.last_known(user_id, before).email
    removals = [
        row
        for row in family.ok(FEED, limit=5000)["data"]
        if shared & {row.get("user_id"), row.get("deleted_user_id"), row["actor"].get("user_id")}
        and (row.get("current_role", "") is None or row["type"] in ("org_user_deleted", "org_user_left"))
    ]
    assert {row["organization_uuid"] for row in removals} == {sister.id}


def test_a_parents_report_adds_up_its_children(family: Api, organization: Organization, sister: Organization):
    told = _usage(family, ["actor"])
    assert {row["group"]["organization_id"] for row in told} == {None}
    people = {row["group"]["actor"]["user_id"] for row in told if row["group"]["actor"]["type"] == "user_actor"}
    assert people == _people(organization) | _people(sister)
    # Somebody who was removed from the sibling but is a member here is not deleted.
    members = {row.id for one in (organization, sister) for row in one.members(NOW)}
    for row in told:
        actor = row["group"]["actor"]
        if actor["type"] == "user_actor":
            assert actor["deleted"] == (actor["user_id"] not in members)
            assert actor["email_address"]


def test_a_parents_report_can_be_broken_out_by_child(family: Api, organization: Organization, sister: Organization):
    told = _usage(family, ["organization_id", "actor"])
    for one in (organization, sister):
        own = [row["group"]["actor"] for row in told if row["group"]["organization_id"] == one.id]
        assert {actor["user_id"] for actor in own if actor["type"] == "user_actor"} == _people(one)
    assert {row["group"]["organization_id"] for row in told} == {organization.id, sister.id}


def test_a_parents_report_can_be_filtered_by_child(family: Api, organization: Organization, sister: Organization):
    for ids in ([organization.id], [organization.tagged_id]):
        told = _usage(family, ["organization_id"], **{"organization_ids[]": ids})
        assert {row["group"]["organization_id"] for row in told} == {organization.id}
    assert _usage(family, ["actor"], **{"organization_ids[]": "org_of_strangers"}) == []
    both = _usage(family, ["organization_id"], **{"organization_ids[]": [organization.id, sister.tagged_id]})
    assert {row["group"]["organization_id"] for row in both} == {organization.id, sister.id}


def test_a_key_of_one_organization_reports_that_one_alone(
    serve: Serve, organization: Organization, sister: Organization
):
    own = serve(sibling=sister)
    told = _usage(own, ["organization_id", "actor"])
    assert {row["group"]["organization_id"] for row in told} == {None}
    people = {row["group"]["actor"]["user_id"] for row in told if row["group"]["actor"]["type"] == "user_actor"}
    assert people == _people(organization)
    answer = own.get("analytics/usage", **DAYS, **{"organization_ids[]": organization.id})
    assert (answer.status_code, "parent organization" in answer.text) == (400, True)


def _usage(api: Api, groups: list[str], **params: Any) -> list[dict[str, Any]]:
    return [*chain(*api.by_page_token("analytics/usage", **DAYS, **{"group_by[]": groups}, **params))]


def _people(organization: Organization) -> set[str]:
    uses = (use for day in range(16, 23) for use in organization.usage(datetime(2026, 11, day, tzinfo=UTC).date()))
    return {use.user_id for use in uses if use.user_id}
