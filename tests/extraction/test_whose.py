"""A fact belongs to the organization it is about: what a parent or a sibling did never stands under our name."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from assets.extraction.client import Client
from assets.extraction.feed import fetch_feed, first_day_proved, reader
from assets.extraction.landing import read_pages
from assets.extraction.organizations import Access, KeyHolder, who_is
from tests.scripted import (
    DAY,
    FEED,
    KEY,
    NEXT_NIGHT,
    Nights,
    Row,
    ScriptedApi,
    activity,
    api_key,
    claude_code,
    error,
    invite,
    page,
    person,
    used,
    user,
)

Start = Callable[..., Nights]
OURS, THEIRS = "11111111-2222-4333-8444-aaaaaaaaaaaa", "99999999-2222-4333-8444-bbbbbbbbbbbb"
ACCEPTED = "org_user_invite_accepted"
ONLY = "organization_ids[]"


def accepted(number: int, at: str = "2026-06-01T09:00:00Z", **fields: Any) -> Row:
    """That the member of this number accepted the invite of the same number."""
    actor = {"type": "user_actor", "user_id": f"user_{number:04}"}
    return activity(number, at, ACCEPTED, invite_id=f"invite_{number:04}", actor=actor, **fields)


def company(feed: list[Row], ours: str = "org_1") -> ScriptedApi:
    """Whose members were added when they accepted their invites, which only the feed can tell."""
    members = [user(n, added_at="2026-06-01T09:00:00Z") for n in (1, 2, 3)]
    invites = [invite(n, email=f"other{n}@acme.example", status="accepted") for n in (1, 2, 3)]
    api = ScriptedApi(users=members, invites=invites, activities=feed)
    api.me["id"] = ours
    return api


def linked(made: Nights) -> set[str]:
    """The invites that the entries that were taken for ours explain."""
    file = next(made.data.snapshots.rglob("part.parquet"))
    return {row["invite_id"] for row in pq.ParquetFile(file).read().to_pylist() if row["invite_id"]}


def night(made: Nights) -> int:
    """Observe and derive; how many activities were left out, which manifest and facts must both say."""
    observation = made.observe()
    foreign = made.derive(observation).facts.foreign
    assert observation.manifest.lists["activities"].foreign == foreign
    return foreign


def test_only_our_activities_are_asked_for_and_each_is_looked_at_on_arrival(nights: Start):
    """A server that knows no filter answers with the parent's whole feed."""
    api = company([accepted(3, organization="org_2"), accepted(2), accepted(1, organization=None)])
    made = nights(api)
    assert night(made) == 2
    assert linked(made) == {"invite_0002"}
    (asked,) = [request for request in api.asked if request.url.path == FEED]
    assert asked.url.params.get_list(ONLY) == ["org_1"]


def test_what_is_left_out_stays_in_the_landing_as_it_came(nights: Start):
    made = nights(company([accepted(2, organization="org_2"), accepted(1)]))
    observation = made.observe()
    (kept,) = read_pages(observation.pages("activities"))
    assert [row["organization_id"] for row in json.loads(kept)["data"]] == ["org_2", "org_1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("me", "names", "ours"),
    [
        (OURS, [{"organization": "org_a", "organization_uuid": OURS}], {"invite_0001"}),
        (OURS.upper(), [{"organization": None, "organization_uuid": OURS}], {"invite_0001"}),
        ("org_a", [{"organization": "org_a", "organization_uuid": OURS}], {"invite_0001"}),
        ("org_a", [{"organization": "ORG_A"}], set()),
        (OURS, [{"organization": "org_a"}], set()),
        # whose one id is ours teaches the other, before and after
        (
            OURS,
            [{"organization": "org_a"}, {"organization": "org_a", "organization_uuid": OURS}],
            {"invite_0001", "invite_0002"},
        ),
        (
            "org_a",
            [
                {"organization": "org_a", "organization_uuid": OURS},
                {"organization": None, "organization_uuid": OURS},
                {"organization": "org_b", "organization_uuid": THEIRS},
            ],
            {"invite_0001", "invite_0002"},
        ),
    ],
)
def test_an_entry_is_ours_by_either_of_its_two_ids(nights: Start, me: str, names: list[Row], ours: set[str]):
    made = nights(company([accepted(n, **name) for n, name in enumerate(names, start=1)], me))
    assert night(made) == len(names) - len(ours)
    assert linked(made) == ours


def test_where_no_entry_names_an_organization_those_that_were_asked_for_are_ours(nights: Start):
    made = nights(company([accepted(2, organization=None), accepted(1, organization=None)]))
    assert night(made) == 0
    assert linked(made) == {"invite_0001", "invite_0002"}


def test_where_no_entry_names_one_and_the_filter_was_refused_nobody_can_tell_whose_they_are(nights: Start):
    api = company([accepted(1, organization=None)])
    api.says[FEED] = lambda request: error(400, ONLY) if ONLY in request.url.params else api.answer(request)
    made = nights(api)
    assert night(made) == 1
    assert linked(made) == set()


def test_a_server_that_refuses_the_filter_is_asked_without_it(nights: Start):
    api = company([accepted(2, organization="org_2"), accepted(1)])
    api.says[FEED] = lambda request: error(400, ONLY) if ONLY in request.url.params else api.answer(request)
    made = nights(api)
    assert night(made) == 1
    assert linked(made) == {"invite_0001"}
    assert made.manifest()["lists"]["activities"]["state"] == "complete"


def filtering(api: ScriptedApi, own: str, nobody: int = 200) -> ScriptedApi:
    """A server whose filter holds: asked for `own` it tells what it has, for anybody else nothing."""

    def activities(request: httpx.Request) -> httpx.Response:
        if request.url.params.get(ONLY) == own:
            return api.answer(request)
        return page([]) if nobody == 200 else error(nobody, "no such organization")

    api.says[FEED] = activities
    return api


@pytest.mark.parametrize("nobody", [200, 400])
def test_where_only_a_filter_that_holds_can_tell_it_is_tried_on_an_organization_that_there_is_not(
    nights: Start, nobody: int
):
    """`/me` answers a UUID, and entries may bear the tagged id alone."""
    feed = [accepted(2, organization="org_a"), accepted(1, organization="org_a")]
    made = nights(filtering(company(feed, OURS), OURS, nobody))
    assert night(made) == 0
    assert linked(made) == {"invite_0001", "invite_0002"}


@pytest.mark.parametrize("nobody", [403, 404])
def test_a_refusal_to_tell_of_nobody_proves_no_filter(nights: Start, nobody: int):
    made = nights(filtering(company([accepted(1, organization="org_a")], OURS), OURS, nobody))
    assert night(made) == 1


def test_an_answer_that_speaks_of_two_organizations_was_not_filtered(nights: Start):
    feed = [accepted(2, organization="org_a"), accepted(1, organization="org_b")]
    made = nights(filtering(company(feed, OURS), OURS))
    assert night(made) == 2


def test_where_ids_can_be_compared_nothing_more_is_asked(nights: Start):
    api = company([accepted(2, organization="org_2"), accepted(1)])
    nights(api).observe()
    assert len([request for request in api.asked if request.url.path == FEED]) == 1


def proved(api: ScriptedApi, *days: str) -> date | None:
    with Client("https://api.test", KEY, transport=httpx.MockTransport(api)) as client:
        access = Access(who_is(client), "the organization", (KeyHolder("KEY", client),))
        return first_day_proved(reader(access), access.organization.id, [date.fromisoformat(day) for day in days])


DAYS = ("2026-05-29", "2026-05-30", "2026-05-31", "2026-06-01")


def test_nothing_of_a_sibling_proves_that_the_feed_covers_a_day():
    feed = [accepted(1, "2026-05-31T09:00:00Z"), accepted(2, "2026-03-01T09:00:00Z", organization="org_2")]
    assert proved(company(feed), *DAYS) == date(2026, 5, 31)
    assert proved(company([feed[1]]), *DAYS) is None


def test_the_proof_walks_past_any_number_of_siblings_entries():
    """Newest first, ours may come after thousands of theirs, and after pages with nothing in them."""
    siblings = [accepted(n, f"2026-05-30T{n % 24:02}:00:00Z", organization="org_2") for n in range(100, 140)]
    api = company([*siblings, accepted(1, "2026-05-29T00:30:00Z")])
    api.page_size = 7
    assert proved(api, *DAYS) == date(2026, 5, 29)


def test_the_proof_is_had_from_a_server_that_refuses_the_filter_and_from_one_that_names_nobody():
    api = company([accepted(1, "2026-05-30T09:00:00Z")])
    api.says[FEED] = lambda request: error(400, ONLY) if ONLY in request.url.params else api.answer(request)
    assert proved(api, *DAYS) == date(2026, 5, 30)
    nameless = company([accepted(1, "2026-05-30T09:00:00Z", organization=None)])
    assert proved(nameless, *DAYS) == date(2026, 5, 30)
    nameless.says[FEED] = lambda request: error(400, ONLY) if ONLY in request.url.params else nameless.answer(request)
    assert proved(nameless, *DAYS) is None


def test_an_entry_of_nobody_proves_nothing_where_others_name_an_organization():
    feed = [accepted(2, "2026-05-29T09:00:00Z", organization=None), accepted(1, "2026-05-28T09:00:00Z")]
    feed[1]["organization_id"] = "org_2"
    api = company(feed)
    api.page_size = 1
    assert proved(api, *DAYS) is None


def test_the_proof_too_takes_an_id_that_only_a_filter_that_holds_can_tell():
    feed = [accepted(1, "2026-05-30T09:00:00Z", organization="org_a")]
    assert proved(company(feed, OURS), *DAYS) is None
    assert proved(filtering(company(feed, OURS), OURS), *DAYS) == date(2026, 5, 30)


def test_the_feed_of_a_backfill_is_asked_and_looked_at_alike(nights: Start):
    made = nights(api := company([accepted(2, organization="org_2"), accepted(1)]))
    with Client("https://api.test", KEY, transport=httpx.MockTransport(api)) as client:
        access = Access(who_is(client), "the organization", (KeyHolder("KEY", client),))
        feed = fetch_feed(access, DAY, NEXT_NIGHT, data=made.data, observed_at=NEXT_NIGHT, run_id="run_1")
    assert feed.observation.manifest.lists["activities"].foreign == 1
    assert api.asked[-1].url.params.get_list(ONLY) == ["org_1"]


def states(rows: dict[str, Row]) -> dict[str, str]:
    return {id: row["last_used_state"] for id, row in rows.items()}


def test_use_in_a_child_organization_is_the_childs(nights: Start):
    """The report of a parent's key covers its children, and says so in a dimension of its own."""
    rows = [
        used("2026-05-20", actor=person("user_0001"), organization_id="org_2"),
        used("2026-05-20", actor=person("user_0002"), organization_id="org_1"),
        used("2026-05-20", actor=person("user_0003")),
        used("2026-05-21", organization_id="org_2"),
    ]
    api = ScriptedApi(users=[user(1), user(2), user(3)], analytics_usage=rows)
    made = nights(api)
    assert states(made.night()) == {"user_0001": "never_seen", "user_0002": "used", "user_0003": "used"}
    assert (made.facts().foreign, made.facts().uses_unattributed) == (2, 0)
    assert made.manifest()["lists"]["analytics_usage"]["foreign"] == 2


def test_a_server_that_refuses_the_dimension_is_asked_without_it(nights: Start):
    api = ScriptedApi(users=[user(1)], analytics_usage=[used("2026-05-20", actor=person("user_0001"))])

    def usage(request: httpx.Request) -> httpx.Response:
        refused = "organization_id" in request.url.params.get_list("group_by[]")
        return error(400, "group_by[]: unknown dimension") if refused else api.answer(request)

    api.says["analytics/usage"] = usage
    made = nights(api)
    assert states(made.night()) == {"user_0001": "used"}
    assert made.manifest()["lists"]["analytics_usage"]["state"] == "complete"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("me", "organization", "state"),
    [
        ("org_1", "org_1", "used"),
        ("org_1", "org_2", "not_seen"),
        ("org_1", None, "used"),
        ("org_1", OURS, "used"),  # of another form, it cannot be told from ours
        (OURS, OURS.upper(), "used"),
        (OURS, THEIRS, "not_seen"),
        (OURS, "org_1", "used"),
    ],
)
def test_a_claude_code_record_of_another_organization_is_no_use_of_ours(
    nights: Start, me: str, organization: str | None, state: str
):
    record = claude_code("2026-05-31", type="user_actor", email_address="user1@acme.example")
    api = ScriptedApi(users=[user(1)], claude_code=[record | {"organization_id": organization}])
    api.me["id"] = me
    made = nights(api)
    observation = made.observe()
    facts = made.derive(observation).facts
    assert facts.foreign == observation.manifest.lists["claude_code"].foreign == (state == "not_seen")
    file = next(made.data.snapshots.rglob("part.parquet"))
    assert [row["last_used_state"] for row in pq.ParquetFile(file).read().to_pylist()] == [state]


def test_an_empty_page_that_says_that_there_is_more_is_gone_past(nights: Start):
    """The feed is filtered after it was cut into pages; and token lists do it too."""
    ours, pages = accepted(1), iter([0, 1])
    api = company([])
    api.says[FEED] = lambda _: page([], has_more=True, last_id="x") if next(pages) == 0 else page([ours])
    rows = [used("2026-05-20", actor=person("user_0002"))]
    api.lists["analytics_usage"] = rows

    def usage(request: httpx.Request) -> httpx.Response:
        if "page" in request.url.params:
            return page(rows)
        return page([], has_more=None, next_page="page_1")

    api.says["analytics/usage"] = usage
    made = nights(api)
    assert night(made) == 0
    assert linked(made) == {"invite_0001"}
    assert [row["holder_id"] for row in made.usage()] == ["user_0002"]


def test_what_siblings_did_meanwhile_is_no_new_version_of_our_day(nights: Start):
    made = nights(api := company([accepted(1)]))
    made.derive(made.observe())
    api.lists["activities"].insert(0, accepted(2, organization="org_2"))
    again = made.derive(made.observe())
    assert again.unchanged


def test_keys_are_not_looked_at_for_an_organization(nights: Start):
    """Lists of one organization's own things name none, and nothing of them is left out."""
    made = nights(ScriptedApi(api_keys=[api_key(1)]))
    assert set(made.night()) == {"apikey_0001"}
    assert made.facts().foreign == 0
