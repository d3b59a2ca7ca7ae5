"""The company goes on after its first era, and what was is not touched by what comes."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise

import msgspec
import pytest

from sandbox import Organization, Plan, Quirks
from sandbox.chronicle import Chronicle, Company
from sandbox.rows import State
from sandbox.timeline import begin_of, midnight
from tests.sandbox.clients import Serve

COMPANIES = [
    Company("sandbox", 320, 90, Plan.CONSOLE, Quirks(), "uuid", "org"),
    Company("enterprise", 40, 0, Plan.ENTERPRISE, Quirks(shares_people_with="sandbox"), "uuid", "org"),
    Company("crowded", 30, 3, Plan.CONSOLE, Quirks(reinvited_percent=100, invite_alias_percent=50), "uuid", "org"),
]
FIRST, LAST = date(2029, 1, 1), date(2029, 12, 31)


@pytest.fixture(params=COMPANIES, ids=lambda company: company.seed)
def company(request: pytest.FixtureRequest) -> Company:
    made: Company = request.param
    return made


def _state(chronicle: Chronicle, at: datetime) -> list[object]:
    lists = (chronicle.members, chronicle.keys, chronicle.invites, chronicle.workspaces, chronicle.accounts)
    accepted = {one.id: one.guest for one in chronicle.invitations if one.ended_at <= at}
    keys = {row.id: chronicle.last_use_of_key(row.id, at) for row in chronicle.keys.at(at)}
    return [[one.at(at) for one in lists], accepted.keys(), keys, chronicle.usage(at.toordinal())]


@pytest.mark.slow
@pytest.mark.parametrize("eras", [1, 2, 3])
def test_a_later_era_changes_nothing_before_it(company: Company, eras: int):
    short, long = Chronicle(company, eras), Chronicle(company, eras + 1)
    end = begin_of(eras)
    for back in (1, 2, 15, 40, 90, 200, 700, 1_200):
        at = end - timedelta(days=back, seconds=-1)
        assert _state(short, at) == _state(long, at)
    assert short.feed == long.feed[: len(short.feed)]
    assert long.feed[len(short.feed)].created_at >= end


def test_the_years_up_to_2027_are_those_they_have_always_been():
    """What people tried, wrote down and measured with the company holds for its next version, too."""
    quirks = Quirks(reinvited_percent=100, invite_alias_percent=50)
    company = Organization("crowded", 30, 10, quirks=quirks)
    end = begin_of(1) - timedelta(seconds=1)
    uses = [company.usage(date(2027, 12, day)) for day in range(1, 32)]
    told = msgspec.json.encode([company.state(end), company.activities(end), uses])
    assert sha256(told).hexdigest() == "1e6f538b06c2b6f5907ca633e980c24a59db339877c5a52e1c9c70b038e12d8c"


def test_in_2029_people_join_and_leave_and_use(organization: Organization):
    before, after = (_ids(organization.truth(day)) for day in (FIRST, LAST))
    assert len(after - before) > 10
    assert len(before - after) > 10
    told = {entry.type for entry in organization.activities(midnight(LAST), midnight(FIRST))}
    assert told >= {"claude_user_role_updated", "org_user_deleted", "org_user_left", "platform_api_key_created"}
    assert told >= {"org_user_invite_sent", "org_user_invite_accepted", "platform_api_key_updated"}
    newcomers = after - _ids(organization.truth(date(2027, 12, 31)))
    used = {use.user_id for day in _mondays(FIRST, LAST) for use in organization.usage(day)}
    assert len(newcomers & used) > 10
    assert any(use.api_key_id for day in _mondays(FIRST, LAST) for use in organization.usage(day))


def test_the_company_neither_dies_out_nor_overflows(organization: Organization):
    sizes = [len(organization.truth(date(year, 6, 1)).members) for year in range(2025, 2045)]
    assert all(150 < size < 500 for size in sizes), sizes


def test_the_feed_of_2029_leads_from_one_day_to_the_next(organization: Organization):
    """Who is a member by the feed's own words is one in the list, day by day around the turn of the era and in 2029."""
    for first, last in ((date(2027, 12, 20), date(2028, 1, 20)), (date(2029, 5, 1), date(2029, 6, 1))):
        for earlier, later in pairwise(_days(first, last)):
            members = _ids(organization.truth(earlier))
            for entry in reversed(organization.activities(_closed(later), _closed(earlier))):
                if entry.type == "claude_user_role_updated":
                    change = members.add if entry.details["current_role"] else members.discard
                    change(entry.details["user_id"])
                elif entry.type == "org_user_left":
                    members.discard(entry.actor["user_id"])
            assert members == _ids(organization.truth(later)), later


def test_addresses_stay_one_persons_own(organization: Organization):
    members = organization.members(datetime(2040, 1, 1, tzinfo=UTC))
    assert len({row.email.lower() for row in members}) == len(members)


def test_a_server_whose_clock_passes_the_end_of_an_era_goes_on_with_its_walk(serve: Serve):
    api = serve(Organization("walk", members=40, api_keys=5))
    api.clock.set(begin_of(1) - timedelta(seconds=1))
    first = api.ok("/v1/compliance/activities", limit=5)
    api.clock.set(begin_of(1) + timedelta(days=200))
    newer = api.ok("/v1/compliance/activities", before_id=first["first_id"], limit=5_000)
    older = api.ok("/v1/compliance/activities", after_id=first["last_id"], limit=5_000)
    everything = api.ok("/v1/compliance/activities", limit=5_000)
    assert newer["data"]
    assert [*newer["data"], *first["data"], *older["data"]] == everything["data"]


def _ids(state: State) -> set[str]:
    return {row.id for row in state.members}


def _days(first: date, last: date) -> Iterable[date]:
    return (date.fromordinal(one) for one in range(first.toordinal(), last.toordinal() + 1))


def _mondays(first: date, last: date) -> Iterable[date]:
    return (day for day in _days(first, last) if day.weekday() == 0)


def _closed(day: date) -> datetime:
    return midnight(day + timedelta(days=1))
