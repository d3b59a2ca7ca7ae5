"""The Activity Feed tells every change: rolling it back from now gives each earlier day exactly."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from sandbox import Organization, Plan, Quirks, State
from sandbox.rows import Activity
from tests.sandbox.clients import NOW, Api, Serve

FIRST_DAY = date(2024, 6, 1)
QUIRKS = Quirks(shares_people_with="sandbox", invite_alias_percent=40, reinvited_percent=10)


class Rollback:
    """The slow, obvious model: what is held now, undone activity by activity."""

    def __init__(self, state: State) -> None:
        self.roles = {row.id: row.role for row in state.members}
        self.keys = {
            row.id: {"name": row.name, "status": row.status, "workspace": row.workspace_id} for row in state.api_keys
        }
        self.invites = {row.id: row for row in state.invites}
        self.invite_status = {row.id: row.status for row in state.invites}

    def undo(self, activity: Activity) -> None:
        told = activity.details
        match activity.type:
            case "claude_user_role_updated" if told["previous_role"] is None:
                del self.roles[told["user_id"]]
            case "claude_user_role_updated":
                self.roles[told["user_id"]] = told["previous_role"]
            case "org_user_left":
                self.roles[activity.actor["user_id"]] = told["previous_role"]
            case "platform_api_key_created":
                del self.keys[told["api_key_id"]]
            case "platform_api_key_updated":
                for update in told["updates"]:
                    assert self.keys[told["api_key_id"]][update["type"]] == update["current_value"]
                    self.keys[told["api_key_id"]][update["type"]] = update["previous_value"]
            case "org_user_invite_accepted" | "org_user_invite_deleted":
                self.invite_status[told["invite_id"]] = "pending"
            case "org_user_invite_sent":
                (sent,) = [row.id for row in self.invites.values() if row.invited_at == activity.created_at]
                del self.invites[sent], self.invite_status[sent]

    def pending_invites(self, at: datetime) -> set[str]:
        """An expiry leaves no activity: the date says it."""
        unanswered = [key for key, status in self.invite_status.items() if status in ("pending", "expired")]
        return {key for key in unanswered if self.invites[key].expires_at > at}


@pytest.mark.parametrize(
    "company",
    [
        Organization(),
        Organization("other", 150, 60),
        Organization("big", 150, 0, plan=Plan.ENTERPRISE),
        Organization("sister", 150, 60, quirks=QUIRKS),
    ],
    ids=["console", "other seed", "enterprise", "quirks"],
)
def test_rolling_back_from_now_gives_the_closing_state_of_every_day(company: Organization):
    model, later = Rollback(company.state(NOW)), NOW
    for day in _days_back_from(date(2026, 11, 23)):
        close = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        for activity in company.activities(later, since=close):
            model.undo(activity)
        later, truth = close, company.truth(day)
        assert model.roles == {row.id: row.role for row in truth.members}
        assert model.keys == {
            row.id: {"name": row.name, "status": row.status, "workspace": row.workspace_id} for row in truth.api_keys
        }
        assert model.pending_invites(close) == {row.id for row in truth.invites if row.status == "pending"}
    assert not model.roles
    assert not model.keys


def test_removals_are_told_once_or_twice_and_by_several_kinds_of_entry(organization: Organization):
    entries = organization.activities(NOW)
    removed = {entry.details["user_id"] for entry in entries if entry.details.get("current_role", "") is None}
    deleted = {entry.details["deleted_user_id"] for entry in entries if entry.type == "org_user_deleted"}
    left = {entry.actor["user_id"] for entry in entries if entry.type == "org_user_left"}
    by_directory = {entry.details["user_id"] for entry in entries if entry.type == "scim_user_deleted"}
    assert removed & deleted
    assert removed & left
    assert left - removed
    assert by_directory <= removed
    assert removed - deleted - left - by_directory


def test_the_endpoint_tells_the_whole_feed_newest_first(api: Api, organization: Organization):
    told = [entry for page in api.by_id_cursor("/v1/compliance/activities", limit=100) for entry in page]
    expected = organization.activities(NOW)
    assert [entry["id"] for entry in told] == [entry.id for entry in expected]
    assert told[0].items() >= {"type": expected[0].type, "organization_uuid": organization.id}.items()
    assert {*told[0]} >= {"id", "created_at", "organization_id", "actor", "type"}


def test_filters_of_the_feed(api: Api, organization: Organization):
    start, end = "2026-03-01T00:00:00Z", "2026-06-01T00:00:00Z"
    told = api.ok(
        "/v1/compliance/activities",
        **{
            "limit": 5000,
            "activity_types[]": ["platform_api_key_updated", "platform_api_key_created"],
            "created_at.gte": start,
            "created_at.lt": end,
        },
    )["data"]
    expected = [
        entry.id
        for entry in organization.activities(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
        if entry.type.startswith("platform_api_key_")
    ]
    assert expected
    assert [entry["id"] for entry in told] == expected


def test_the_feed_can_be_filtered_by_actor(api: Api, organization: Organization):
    leaver = next(entry for entry in organization.activities(NOW) if entry.type == "org_user_left")
    user_id = leaver.actor["user_id"]
    told = api.ok("/v1/compliance/activities", **{"actor_ids[]": user_id})["data"]
    assert told
    assert {entry["actor"]["user_id"] for entry in told} == {user_id}


def test_the_bounds_of_a_moment_are_exact(api: Api, organization: Organization):
    entry = organization.activities(NOW)[7]
    moment = entry.created_at.isoformat()

    def told(bound: str) -> bool:
        data = api.ok("/v1/compliance/activities", **{f"created_at.{bound}": moment, "limit": 5000})["data"]
        return entry.id in [one["id"] for one in data]

    assert [told(bound) for bound in ("gte", "gt", "lte", "lt")] == [True, False, True, False]


def test_newer_entries_are_found_from_a_cursor(api: Api, organization: Organization):
    entries = organization.activities(NOW)
    page = api.ok("/v1/compliance/activities", before_id=entries[30].id, limit=10)
    assert [entry["id"] for entry in page["data"]] == [entry.id for entry in entries[20:30]]
    assert page["has_more"]


def test_nothing_is_told_from_before_the_feed_was_switched_on(serve: Serve):
    since = datetime(2026, 1, 1, tzinfo=UTC)
    api = serve(feed_since=since)
    entries = [entry for page in api.by_id_cursor("/v1/compliance/activities", limit=50) for entry in page]
    assert entries
    assert min(datetime.fromisoformat(entry["created_at"]) for entry in entries) >= since


def test_a_feed_that_is_off_is_not_found(serve: Serve):
    assert serve(feed=False).get("/v1/compliance/activities").status_code == 404


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"limit": 5001}, 400),
        ({"limit": 0}, 400),
        ({"after_id": "activity_gone"}, 404),
        ({"after_id": "a", "before_id": "b"}, 400),
        ({"created_at.gte": "yesterday"}, 400),
        ({"activity_types": "org_user_left"}, 400),
    ],
)
def test_what_the_feed_refuses(api: Api, params: dict[str, object], status: int):
    assert api.get("/v1/compliance/activities", **params).status_code == status


def _days_back_from(day: date) -> Iterator[date]:
    while day >= FIRST_DAY - timedelta(days=1):
        yield day
        day -= timedelta(days=1)
