"""A fact of use is kept once: a night tells what no earlier one does, and all files together tell everything."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.extraction.coverage import covered_to, facts_of_usage
from assets.extraction.landing import complete_observations
from assets.layout import USAGE, day_files, usage_file
from assets.resources import DropGuard
from assets.snapshots.ending import Loading
from tests.scripted import DAY, NEXT_NIGHT, Nights, ScriptedApi, api_key, person, used, user

Start = Callable[..., Nights]
DAYS = [DAY + timedelta(days=n) for n in range(4)]
ONE, TWO = used("2026-05-31", actor=person("user_0001")), used("2026-06-01", actor=person("user_0002"))
THREE = used("2026-06-02", actor=person("user_0001"))


def company(*told: Any) -> ScriptedApi:
    return ScriptedApi(users=[user(n) for n in range(1, 4)], api_keys=[api_key(1)], analytics_usage=list(told))


def days_told(made: Nights, night: date) -> list[str]:
    return [str(row["usage_date"]) for row in made.usage(night)]


def union(made: Nights) -> set[tuple[Any, ...]]:
    files = day_files(USAGE, made.data, organization_id="org_1")
    return {tuple(row.values()) for file in files for row in pq.ParquetFile(file.path).read().to_pylist()}


def left_out(made: Nights, night: date) -> list[date]:
    return facts_of_usage(usage_file(made.data.usage, night, "org_1")).left_out


def two_nights(nights: Start) -> Nights:
    made = nights(company(ONE, TWO))
    made.night(DAYS[0])
    made.api.lists["analytics_usage"] = [ONE, TWO, THREE]
    made.night(DAYS[1])
    return made


def test_a_night_tells_what_no_earlier_one_does(nights: Start):
    made = two_nights(nights)
    assert (days_told(made, DAYS[0]), days_told(made, DAYS[1])) == (["2026-05-31", "2026-06-01"], ["2026-06-02"])
    assert (left_out(made, DAYS[0]), left_out(made, DAYS[1])) == ([], [DAYS[0]])


def test_a_keys_last_use_that_stays_the_same_is_told_once_however_long(nights: Start):
    api = company()
    api.lists["api_keys"] = [api_key(1, last_used_at="2026-02-01T10:00:00Z")]
    made = nights(api)
    for day in DAYS:
        made.night(day)
    assert [len(made.usage(day)) for day in DAYS] == [1, 0, 0, 0]
    assert left_out(made, DAYS[3]) == []
    assert made.rows(DAYS[3])["apikey_0001"]["last_used_state"] == "used"


def test_what_a_replaced_night_tells_no_more_is_told_by_the_night_after_it(nights: Start):
    made = two_nights(nights)
    before = union(made)
    made.api.lists["analytics_usage"] = [TWO]
    made.derive(made.observe(DAYS[0], NEXT_NIGHT + timedelta(hours=1)))
    assert (days_told(made, DAYS[0]), days_told(made, DAYS[1])) == (["2026-06-01"], ["2026-05-31", "2026-06-02"])
    assert union(made) == before


def test_where_no_landing_can_tell_it_again_the_replaced_night_keeps_it_and_it_is_said(nights: Start):
    made = two_nights(nights)
    before = union(made)
    shutil.rmtree(made.data.landing("org_1", DAYS[1]))
    made.api.lists["analytics_usage"] = [TWO]
    derived = made.derive(made.observe(DAYS[0], NEXT_NIGHT + timedelta(hours=1)))
    assert union(made) == before
    assert days_told(made, DAYS[0]) == ["2026-05-31", "2026-06-01"]
    (said,) = derived.damaged
    assert "2026-06-02 of org_1" in str(said)


def test_coverage_of_a_night_that_left_out_what_is_lost_counts_only_for_the_days_after_it(nights: Start):
    made = two_nights(nights)
    usage_file(made.data.usage, DAYS[0], "org_1").write_bytes(b"")
    assert covered_to(made.data, "org_1", DAYS[2])["analytics_usage"] == date(2026, 3, 3)
    row = made.night(DAYS[2])["user_0002"]
    assert str(row["last_used_at"])[:10] == "2026-06-01"
    assert (row["usage_observed_since"], left_out(made, DAYS[2])) == (date(2026, 3, 4), [DAYS[1]])
    assert covered_to(made.data, "org_1", DAYS[3])["analytics_usage"] == DAYS[2]


def test_a_night_that_comes_late_tells_what_later_ones_do_too(nights: Start):
    made = nights(company(ONE, TWO))
    late = made.observe(DAYS[0])
    made.api.lists["analytics_usage"] = [ONE, TWO, THREE]
    made.night(DAYS[1])
    before = union(made)
    made.derive(late)
    assert (len(made.usage(DAYS[0])), len(made.usage(DAYS[1]))) == (2, 3)
    assert union(made) == before


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[tuple[int, int], set[tuple[Any, ...]]]]:
    """Four nights, each observed twice, and what each observation tells by itself."""
    made, alone = Nights(tmp_path_factory.mktemp("landed"), company()), {}
    for number, day in enumerate(DAYS):
        for version in range(2):
            days = [day - timedelta(days=back) for back in range(5)]
            rows = [used(str(one), actor=person(f"user_000{(one.day + version) % 3 + 1}")) for one in days]
            made.api.lists["analytics_usage"] = rows[version:] + [used(str(days[3]), key="apikey_0001")] * (number % 2)
            made.api.lists["api_keys"] = [api_key(1, last_used_at=f"2026-05-{20 + version}T10:00:00Z")]
            made.derive(made.observe(day, NEXT_NIGHT + timedelta(days=number, hours=version)))
            alone[number, version] = union(made)
            shutil.rmtree(made.data.root / "usage")
    return made.data.root, alone


@pytest.mark.slow
@given(steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=3, max_size=8))
def test_all_files_together_tell_what_all_nights_do(landed: Any, steps: list[tuple[int, int]]):
    root, alone = landed
    with TemporaryDirectory() as scratch:
        shutil.copytree(root / "landing", Path(scratch) / "landing")
        made = Nights(Path(scratch), company())
        for turn, (number, version) in enumerate(steps):
            observation = list(complete_observations(made.data, "org_1", DAYS[number]))[::-1][version]
            loading = Loading(NEXT_NIGHT + timedelta(days=30, hours=turn), "run_1")
            made.derive(observation, DropGuard(accepted=True), loading)
        assert union(made) == set().union(*(alone[step] for step in dict(steps).items()))
