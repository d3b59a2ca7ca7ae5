"""Invitations that an address does not link to a member, that a member does not need, and that expire late."""

from datetime import datetime, timedelta

import pytest

from sandbox import Organization, Quirks
from tests.sandbox.clients import NOW, Api, Serve

NEWER = {"anthropic-version": "2026-10-21"}
LAG = timedelta(days=10)


@pytest.fixture(scope="module")
def company() -> Organization:
    return Organization(
        "invitations", quirks=Quirks(invite_alias_percent=40, reinvited_percent=10, invite_expiry_lag=LAG)
    )


@pytest.fixture(scope="module")
def api(serve: Serve, company: Organization) -> Api:
    return serve(company)


def test_some_were_accepted_under_another_address_than_the_members(api: Api, company: Organization):
    invites = {row["id"]: row for row in api.ok("invites", NEWER, limit=1000)["data"]}
    links = company.invite_links(NOW)
    assert {*links} == {key for key, row in invites.items() if row["status"] == "accepted"}
    aliases = 0
    for invite_id, user_id in links.items():
        member = company.until(NOW).members.last_known(user_id, NOW)
        assert member is not None
        accepted_at = datetime.fromisoformat(invites[invite_id]["accepted_at"])
        arrivals = {span.row.added_at for span in company.until(NOW).members.spans if span.row.id == user_id}
        assert accepted_at in arrivals
        known = {span.row.email for span in company.until(NOW).members.spans if span.row.id == user_id}
        aliases += invites[invite_id]["email"] not in known
    assert 0.2 < aliases / len(links) < 0.6


def test_the_feed_links_every_accepted_invitation_to_its_member(api: Api, company: Organization):
    entries = api.ok("/v1/compliance/activities", **{"limit": 5000, "activity_types[]": "org_user_invite_accepted"})[
        "data"
    ]
    assert {entry["invite_id"]: entry["actor"]["user_id"] for entry in entries} == company.invite_links(NOW)


def test_some_pending_ones_are_of_people_who_are_members(api: Api):
    members = {row["email"] for row in api.ok("users", limit=1000)["data"]}
    pending = [row["email"] for row in api.ok("invites", statuses=["pending"], limit=1000)["data"]]
    assert {*pending} & members
    assert {*pending} - members


def test_some_are_still_pending_after_they_have_expired(api: Api):
    pending = api.ok("invites", statuses=["pending"], limit=1000)["data"]
    expired = [row for row in pending if datetime.fromisoformat(row["expires_at"]) <= NOW]
    assert expired
    assert all(NOW - datetime.fromisoformat(row["expires_at"]) < LAG for row in expired)


def test_none_of_this_is_so_unless_it_is_asked_for(organization: Organization):
    members = {row.email for row in organization.members(NOW)}
    pending = [row for row in organization.invites(NOW) if row.status == "pending"]
    assert all(row.expires_at > NOW and row.email not in members for row in pending)
    emails = {row.id: row.email for row in organization.invites(NOW)}
    people = {span.row.id: span.row.email for span in reversed(organization.until(NOW).members.spans)}
    assert all(emails[invite] == people[user] for invite, user in organization.invite_links(NOW).items())
