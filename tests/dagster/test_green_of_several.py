"""A day of several organizations is green when the closing snapshots of all of them lie there, and only then."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import httpx
import pytest

from assets.layout import snapshot_file
from assets.spans import days_between
from sandbox import serving
from tests.dagster.agreement import ROWS, expect_agreement
from tests.dagster.grids import ALL, ASSIGNMENTS, FEED_FROM, OBSERVATION, Deployment, company, deployed
from tests.scripted import DAY, FEED, ScriptedApi, as_app, error, user

# Dagster uses what it has deprecated itself.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Function `AssetSelection.sources`:DeprecationWarning"),
]

PAST = days_between(FEED_FROM, DAY - timedelta(days=1))
"""Days that the feeds can tell of."""
NEXT = DAY + timedelta(days=1)
BOTH = frozenset({"org_1", "org_2"})
TWO = """
[[organization]]
name = "First"
key_env = "FIRST_KEY"

[[organization]]
name = "Second"
key_env = "SECOND_KEY"
"""


@pytest.fixture
def api() -> ScriptedApi:
    return company()


@pytest.fixture
def second() -> ScriptedApi:
    made = company(5)
    made.me = {"id": "org_2", "name": "Second Ltd"}
    for entry in made.lists["activities"]:
        entry["organization_id"] = "org_2"
    return made


@pytest.fixture
def group(api: ScriptedApi, second: ScriptedApi, tmp_path: Path, home: Path) -> Iterator[Deployment]:
    (tmp_path / "organizations.toml").write_text(TWO)
    apis = {"sk-ant-admin01-1": api, "sk-ant-admin01-2": second}

    def answer(request: httpx.Request) -> httpx.Response:
        return apis[request.headers["x-api-key"]](request)

    settings = {
        "LICENSES_ORGANIZATIONS": str(tmp_path / "organizations.toml"),
        "FIRST_KEY": "sk-ant-admin01-1",
        "SECOND_KEY": "sk-ant-admin01-2",
    }
    with serving(as_app(answer)) as url, deployed(tmp_path / "data", home, url, **settings) as made:
        yield made


def test_a_day_of_which_one_organization_is_missing_is_not_green_and_the_others_are_published(
    group: Deployment, second: ScriptedApi
):
    assert group.launch((OBSERVATION, ASSIGNMENTS), DAY).is_success
    next_day = DAY + timedelta(days=1)
    group.night(next_day)
    second.says["users"] = lambda _: error(500)
    failed = group.launch(ALL, next_day)
    assert failed.status is dg.DagsterRunStatus.FAILURE
    assert "Second Ltd (org_2)" in group.sentences(failed)
    assert expect_agreement(group, BOTH) == [DAY]
    assert group.files()[next_day] == {"org_1": 3}
    assert group.shown() == {DAY: 8, next_day: 3}
    second.says.clear()
    assert group.launch((OBSERVATION, ASSIGNMENTS), next_day).is_success
    assert expect_agreement(group, BOTH) == [DAY, next_day]
    assert group.told()[next_day][ROWS] == 8


def test_days_of_which_one_organizations_feed_tells_nothing_are_not_green(group: Deployment, second: ScriptedApi):
    for day in (PAST[0], DAY):
        group.night(day)
        group.launch((OBSERVATION, ASSIGNMENTS), day)
    second.lists["activities"] = [one for one in second.lists["activities"] if one["created_at"] >= str(PAST[3])]
    group.backfill((ASSIGNMENTS,), PAST)
    assert expect_agreement(group, BOTH) == [PAST[0], *PAST[3:], DAY]
    assert sorted(group.files()) == [*PAST, DAY]


def test_launched_alone_a_day_is_not_green_while_a_configured_key_has_read_nothing_of_it(
    group: Deployment, second: ScriptedApi
):
    second.says["users"] = lambda _: error(500)
    group.launch((OBSERVATION,), DAY)
    run = group.launch((ASSIGNMENTS,), DAY)
    assert "org_2" in group.sentences(run)
    assert group.files() == {DAY: {"org_1": 3}}
    assert expect_agreement(group, BOTH) == []


def test_what_is_published_whole_stays_green_though_asking_anew_fails_for_one(
    group: Deployment, api: ScriptedApi, second: ScriptedApi
):
    group.launch((OBSERVATION, ASSIGNMENTS), DAY)
    api.lists["users"] = [user(one) for one in range(1, 5)]
    second.says["users"] = lambda _: error(500)
    run = group.launch((OBSERVATION, ASSIGNMENTS), DAY, step=OBSERVATION, again=True)
    assert "Second Ltd (org_2)" in group.sentences(run)
    assert group.files() == {DAY: {"org_1": 4, "org_2": 5}}
    assert (group.green(), group.told()[DAY][ROWS]) == ([DAY], 9)


def test_a_key_that_holds_another_organizations_access_makes_the_later_days_no_less_green(
    group: Deployment, api: ScriptedApi, second: ScriptedApi
):
    group.launch((OBSERVATION, ASSIGNMENTS), DAY)
    second.me = {"id": "org_3", "name": "Third Ltd"}
    for ahead in (1, 2):
        group.night(DAY + timedelta(days=ahead))
        group.launch(ALL, DAY + timedelta(days=ahead))
        assert group.green() == [DAY + timedelta(days=done) for done in range(ahead + 1)]
    assert group.files()[NEXT] == {"org_1": 3, "org_3": 5}


def test_executed_again_from_its_last_step_a_night_of_which_one_is_missing_is_no_more_whole(
    group: Deployment, second: ScriptedApi
):
    second.says["users"] = lambda _: error(500)
    failed = group.launch(ALL, DAY)
    second.says.clear()
    again = group.again_from_failure(failed)
    assert again.status is dg.DagsterRunStatus.FAILURE
    assert f"{DAY} is not published whole" in group.sentences(again)
    assert group.launch(ALL, DAY).is_success
    assert expect_agreement(group, BOTH) == [DAY]


def test_of_several_failures_each_is_told(group: Deployment, second: ScriptedApi):
    second.says["users"] = lambda _: error(500)
    prices = group.root / "reference" / "prices.csv"
    prices.parent.mkdir(parents=True)
    prices.write_text("no such thing\n")
    told = group.sentences(group.launch(ALL, DAY))
    assert "Second Ltd (org_2)" in told
    assert "prices.csv" in told


def test_one_organizations_feed_that_breaks_off_costs_the_other_no_day(group: Deployment, api: ScriptedApi):
    for day in (PAST[0], DAY):
        group.night(day)
        group.launch((OBSERVATION, ASSIGNMENTS), day)

    def breaks_off(request: httpx.Request) -> httpx.Response:
        """It tells how far it reaches, and then does not tell what happened."""
        return error(400) if "created_at.lte" in request.url.params else api.answer(request)

    api.says[FEED] = breaks_off
    run = group.launch((ASSIGNMENTS,), PAST[1], PAST[-1])
    assert "org_1, " in group.sentences(run)
    assert all(group.files()[day].keys() >= {"org_2"} for day in PAST)
    assert expect_agreement(group, BOTH) == [PAST[0], DAY]


def test_what_was_said_not_to_be_published_is_not_published_with_the_next_organization(
    group: Deployment, monkeypatch: pytest.MonkeyPatch
):
    put = Path.replace

    def full(self: Path, target: Path) -> Path:
        place = str(target)
        if "organization_id=org_1/part.parquet" in place and "/snapshots/" in place and "staging" not in place:
            raise OSError(28, "No space left on device")
        return put(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        run = group.launch(ALL, DAY)
    assert "Nothing was published: what was there stands." in group.sentences(run)
    assert not snapshot_file(group.data, DAY, "org_1").exists()
    assert group.shown() == {DAY: 5}
    assert expect_agreement(group, BOTH) == []


def test_a_refused_day_among_kept_ones_is_told_and_the_warehouse_is_made_all_the_same(
    group: Deployment, api: ScriptedApi
):
    everybody = api.lists["users"] = [user(number) for number in range(1, 31)]
    group.launch(ALL, DAY)
    api.lists["users"] = everybody[:3]
    group.night(NEXT)
    group.launch((OBSERVATION,), NEXT)
    group.night(NEXT + timedelta(days=1))
    run = group.launch((ASSIGNMENTS, "warehouse"), DAY, NEXT)
    assert "--accept-drop" in group.sentences(run)
    assert "blocking" not in group.sentences(run)
    assert group.shown() == {DAY: 35, NEXT: 5}
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert expect_agreement(group, BOTH) == [DAY]
