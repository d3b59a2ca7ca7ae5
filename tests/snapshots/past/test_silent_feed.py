"""A feed that has been silent for long, between two days that were observed: is it quiet, or does it stand still?"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from assets.extraction import patience
from sandbox import serving
from tests.commandline import Finished, Operator
from tests.scripted import DAY, ScriptedApi, activity, api_key, as_app, error, page, user

pytestmark = pytest.mark.slow

MISSED, LAST = DAY + timedelta(days=1), DAY + timedelta(days=2)
LATER = "2026-06-04T03:00:00Z"


class Company(Operator):
    api: ScriptedApi

    def fill(self, day: date = MISSED) -> Finished:
        return self("backfill", "--from", str(day), "--to", str(day), LICENSES_NOW=LATER)

    def fill_in_a_hurry(self) -> Finished:
        more = {"LICENSES_NOW": LATER, "LICENSES_LIST_MINUTES": "0.1"}
        return self("backfill", "--from", str(MISSED), "--to", str(MISSED), **more)

    def roles(self, day: date) -> dict[str, str]:
        asked = f"select holder_id, role from license_snapshots where snapshot_date = '{day}' and holder_type = 'user'"
        return dict(self.ask(asked))


@pytest.fixture
def company(tmp_path: Path, home: Path) -> Iterator[Company]:
    """A night, a night that was missed, and a feed whose only entry is of the month before."""
    api = ScriptedApi(users=[user(1), user(2)], api_keys=[api_key(1)], activities=[_change(1, "2026-05-05T09:00:00Z")])
    with serving(as_app(api)) as url:
        made = Company(tmp_path, url, home=home)
        made.api = api
        assert made.night(DAY).status == 0
        yield made


def _change(number: int, at: str, user_id: str = "user_0002", before: str = "user", after: str = "user"):
    told = {"user_id": user_id, "previous_role": before, "current_role": after}
    return activity(number, at, "claude_user_role_updated", **told)


def test_one_that_leads_back_to_the_day_before_the_gap_was_quiet(company: Company):
    assert company.night(LAST).status == 0
    filled = company.fill()
    assert filled.status == 0, filled.out + filled.err
    assert company.roles(MISSED) == {"user_0001": "user", "user_0002": "user"}


def test_one_that_has_missed_a_change_between_the_two_is_not_believed(company: Company):
    company.api.lists["users"] = [user(1, role="admin"), user(2)]
    assert company.night(LAST).status == 0
    before = company.published()
    refused = company.fill()
    assert refused.status == 1
    assert "the Activity Feed may stand still" in refused.err
    assert "user user_0001, role: observed user, by the feed admin" in refused.err
    assert company.published() == before


def test_one_that_has_gone_on_since_is_believed(company: Company):
    company.api.lists["users"] = [user(1, role="admin"), user(2)]
    assert company.night(LAST).status == 0
    told = [_change(2, "2026-06-02T15:00:00Z", "user_0001", "user", "admin"), _change(3, "2026-06-04T02:30:00Z")]
    company.api.lists["activities"] = [*reversed(told), *company.api.lists["activities"]]
    filled = company.fill()
    assert filled.status == 0, filled.out + filled.err
    assert company.roles(MISSED) == {"user_0001": "admin", "user_0002": "user"}


def test_a_feed_that_loses_its_place_is_a_reason_and_no_crash(company: Company):
    assert company.night(LAST).status == 0
    told = [_change(number, f"2026-06-04T02:{number}:00Z") for number in range(59, 10, -1)]
    company.api.lists["activities"] = [*told, *company.api.lists["activities"]]

    def losing(request: httpx.Request) -> httpx.Response:
        if "after_id" in request.url.params:
            return error(404, "after_id was not found")
        if request.url.params.get("limit") == "1000" and "created_at.lt" not in request.url.params:
            return page([], has_more=True, last_id="activity_0059")
        return company.api.answer(request)

    company.api.says["/v1/compliance/activities"] = losing
    refused = company.fill()
    assert refused.status == 1
    assert "the Activity Feed lost its place" in refused.out


def test_the_feed_is_asked_as_long_as_the_settings_say(company: Company, monkeypatch: pytest.MonkeyPatch):
    assert company.night(LAST).status == 0
    company.api.says["/v1/compliance/activities"] = lambda _: error(503)
    waited: list[float] = []
    monkeypatch.setattr(patience, "sleep", waited.append)
    refused = company("reconcile", LICENSES_NOW=LATER, LICENSES_LIST_MINUTES="0.1")
    assert (refused.status, 0 < sum(waited) < 6) == (3, True)
    waited.clear()
    refused = company.fill_in_a_hurry()
    assert (refused.status, 0 < sum(waited) < 6) == (1, True)


def test_before_the_first_snapshot_a_silence_longer_than_a_week_proves_nothing(company: Company):
    refused = company.fill(DAY - timedelta(days=1))
    assert refused.status == 1
    assert "its newest activity is of 2026-05-05 09:00 UTC, and a feed that stands still tells nothing" in refused.out


def test_before_the_first_snapshot_it_may_be_silent_as_long_as_it_is_used_to(company: Company):
    company.api.lists["activities"].insert(0, _change(2, "2026-05-30T09:00:00Z"))
    filled = company.fill(DAY - timedelta(days=1))
    assert filled.status == 0, filled.out + filled.err
    assert company.roles(DAY - timedelta(days=1)) == {"user_0001": "user", "user_0002": "user"}
