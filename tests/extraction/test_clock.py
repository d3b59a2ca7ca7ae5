"""A clock that is behind writes nothing: today's roster must never stand under a past day."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from assets.days import require_observable
from assets.errors import ImpossibleDay
from assets.extraction.assets import ending_in_time, require_right_clock
from assets.extraction.deadline import Patience
from assets.extraction.observe import observe
from assets.resources import PipelineClock
from sandbox import serving
from tests.commandline import Operator
from tests.scripted import DAY, NEXT_NIGHT, Nights, ScriptedApi, api_key, as_app, user

pytestmark = pytest.mark.slow

Start = Callable[..., Nights]


def world(stands: datetime) -> PipelineClock:
    """This machine's clock, which can be wrong; nobody has moved it on purpose."""
    return PipelineClock(lambda: stands)


def saying_that_it_is(now: datetime) -> ScriptedApi:
    api = ScriptedApi(users=[user(1)])

    def me(request: httpx.Request) -> httpx.Response:
        answer = api.answer(request)
        answer.headers["date"] = format_datetime(now, usegmt=True)
        return answer

    api.says["me"] = me
    return api


def night_of(made: Nights, ours: datetime) -> None:
    require_right_clock(made.access(), DAY, world(ours))


@pytest.mark.parametrize("theirs", [timedelta(), timedelta(hours=20), timedelta(hours=-1, minutes=-59)])
def test_clocks_that_agree_about_the_day_may_differ(nights: Start, theirs: timedelta):
    night_of(nights(saying_that_it_is(NEXT_NIGHT + theirs)), NEXT_NIGHT)


@pytest.mark.parametrize(
    "theirs", [timedelta(days=1), timedelta(days=400), timedelta(hours=-3), timedelta(days=-2), timedelta(days=-400)]
)
def test_clocks_that_differ_about_the_day_write_nothing_and_are_both_told(nights: Start, theirs: timedelta):
    made = nights(saying_that_it_is(NEXT_NIGHT + theirs))
    with pytest.raises(ImpossibleDay) as caught:
        night_of(made, NEXT_NIGHT)
    assert "2026-06-02 02:00:00 UTC" in str(caught.value)
    assert f"{NEXT_NIGHT + theirs:%Y-%m-%d %H:%M:%S} UTC" in str(caught.value)


def test_a_provisional_day_is_contradicted_where_theirs_is_over(nights: Start):
    made = nights(saying_that_it_is(NEXT_NIGHT))
    with pytest.raises(ImpossibleDay):
        night_of(made, NEXT_NIGHT - timedelta(hours=6))


def test_a_clock_that_was_moved_on_purpose_is_contradicted_by_no_other(nights: Start):
    made = nights(saying_that_it_is(NEXT_NIGHT + timedelta(days=400)))
    require_right_clock(made.access("http://127.0.0.1:1"), DAY, PipelineClock.standing(NEXT_NIGHT))


def test_whoever_moved_the_clock_a_real_organizations_roster_is_written_into_no_day_by_it(nights: Start):
    made = nights(saying_that_it_is(NEXT_NIGHT))
    with pytest.raises(ImpossibleDay, match="moved to 2026-06-02 02:00:00 UTC, which is for a stand-in"):
        require_right_clock(made.access(), DAY, PipelineClock.standing(NEXT_NIGHT))


@pytest.mark.parametrize("says", [None, "yesterday"])
def test_a_server_that_does_not_say_what_time_it_is_contradicts_nobody(nights: Start, says: str | None):
    made = nights(saying_that_it_is(NEXT_NIGHT))

    def me(request: httpx.Request) -> httpx.Response:
        answer = made.api.answer(request)
        if says:
            answer.headers["date"] = says
        return answer

    made.api.says["me"] = me
    night_of(made, NEXT_NIGHT)


def test_midnight_may_come_between_two_organizations_of_one_run(nights: Start):
    """The first was asked before; the API's `Date` of when the run began says nothing against the second."""
    made = nights(saying_that_it_is(NEXT_NIGHT + timedelta(hours=21, minutes=59)))
    with pytest.raises(ImpossibleDay, match="2026-06-01 is over for too long"):
        night_of(made, NEXT_NIGHT + timedelta(hours=22))


def test_what_the_api_said_of_its_time_grows_older(nights: Start, monkeypatch: pytest.MonkeyPatch):
    client = nights(saying_that_it_is(NEXT_NIGHT)).access().keys[0].client
    later = time.monotonic() + 7200
    monkeypatch.setattr("assets.extraction.client.monotonic", lambda: later)
    assert client.server_time is not None
    assert NEXT_NIGHT + timedelta(hours=1, minutes=59) < client.server_time <= NEXT_NIGHT + timedelta(hours=2)


@pytest.mark.parametrize("late", ["users", "api_keys"])
def test_a_roster_that_was_read_across_the_last_midnight_is_not_that_days(nights: Start, late: str):
    made = nights(ScriptedApi(users=[user(1)], api_keys=[api_key(1)]))
    clock = world(NEXT_NIGHT)
    late_clock = world(NEXT_NIGHT + timedelta(hours=22))
    stands = [clock]

    def slowly(request: httpx.Request) -> httpx.Response:
        stands.append(late_clock)
        return made.api.answer(request)

    made.api.says[late] = slowly
    with pytest.raises(ImpossibleDay, match="2026-06-01 is over for too long"):
        observe(
            made.access(),
            DAY,
            data=made.data,
            observed_at=NEXT_NIGHT,
            run_id="run_1",
            covered_to={},
            in_time=lambda: require_observable(DAY, stands[-1].now()),
        )
    assert made.manifest()["complete"] is False


def test_patience_ends_with_the_day_after():
    last_minute = world(NEXT_NIGHT + timedelta(hours=21, minutes=59))
    assert ending_in_time(Patience.of(5, 240), DAY, last_minute).question() <= time.monotonic() + 60


class Company(Operator):
    api: ScriptedApi


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Company]:
    api = ScriptedApi(users=[user(1)], api_keys=[api_key(1)])
    with serving(as_app(api)) as url:
        made = Company(tmp_path_factory.mktemp("company"), url, home=home)
        made.api = api
        assert made.night(DAY + timedelta(days=30)).status == 0
        yield made


def test_a_day_is_refused_when_an_observation_was_made_later_than_now(company: Company):
    before = company.published()
    company.api.lists["users"].append(user(2))
    behind = company.at(NEXT_NIGHT + timedelta(days=2), DAY + timedelta(days=2))
    assert behind.status == 1
    assert (
        "the clock stands at 2026-06-04 02:00:00 UTC, but an observation of 2026-07-01 made at 2026-07-02 02:00:00 UTC "
        "lies in the record: the clock is behind." in behind.err
    )
    assert company.published() == before
    assert not list((company.data / "landing" / "org_1").glob("2026-06-*"))


@pytest.mark.parametrize(
    "words",
    [
        ("backfill", "--from", "2026-06-03", "--to", "2026-06-03"),
        ("import", "members.csv", "--day", "2026-06-03", "--organization", "org_1"),
        ("close", "2026-05"),
        ("reopen", "2026-05", "--reason", "to see"),
        ("check",),
    ],
    ids=lambda words: words[0],
)
def test_whatever_writes_is_refused_by_then_and_the_doctor_says_why(company: Company, words: tuple[str, ...]):
    (company.folder / "members.csv").write_text("name;email;role\nUser 1;user1@acme.example;user\n")
    before = company.published()
    refused = company(*words, LICENSES_NOW="2026-06-04T02:00:00+00:00")
    assert refused.status in (1, 2)
    told = " ".join((refused.err + refused.out).split())
    assert "the clock stands at 2026-06-04 02:00:00 UTC, but an observation of 2026-07-01 made at" in told
    assert company.published() == before
    assert not (company.data / "finance").exists()


def test_another_organizations_observation_tells_the_time_as_well(company: Company):
    company.api.me, ours = {"id": "org_2", "name": "New"}, company.api.me
    try:
        behind = company.at(NEXT_NIGHT + timedelta(days=2), DAY + timedelta(days=2))
    finally:
        company.api.me = ours
    assert behind.status == 1
    assert "the clock is behind" in behind.err
    assert not (company.data / "landing" / "org_2").exists()


def test_the_same_second_is_not_later(company: Company):
    again = company.at(datetime(2026, 7, 2, 2, tzinfo=UTC), DAY + timedelta(days=30), "--again")
    assert again.status == 0
