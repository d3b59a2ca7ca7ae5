"""Last use carried forward is what all nights' files tell, whatever became of them: what was carried is no record."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.extraction.carried import drop_old
from assets.extraction.coverage import covered_to, spoke_to
from assets.extraction.landing import Observation, complete_observations
from assets.layout import COVERAGE, FACTS_KEY, LAST_USE, SNAPSHOTS, USAGE, DataDirectory, day_files
from assets.resources import DropGuard
from assets.snapshots.ending import Loading
from assets.snapshots.observed.derive import derive
from tests.scripted import DAY, NEXT_NIGHT, Nights, ScriptedApi, api_key, claude_code, person, used, user

DAYS = [DAY + timedelta(days=n) for n in range(5)]
KEPT = Path(__file__).parents[1] / "kept" / "version-0.1"
Start = Callable[..., Nights]


def company() -> ScriptedApi:
    return ScriptedApi(users=[user(n) for n in range(4)], api_keys=[api_key(n) for n in range(3)])


def tell(api: ScriptedApi, number: int, version: int) -> None:
    """What the reports say in a night's first or second observation: some of it late, some no more, some by a name."""
    days = [DAYS[number] - timedelta(days=back) for back in range(6)]
    told = [used(str(day), actor=person(f"user_{(day.toordinal() + version) % 3:04}")) for day in days if day.day % 4]
    told += [used(str(days[2]), key=f"apikey_{number % 3:04}")] * version
    api.lists["analytics_usage"] = [*told, *([used(str(days[3]))] if number == 2 else [])]
    api.lists["claude_code"] = [claude_code(str(days[1]), api_key_name=f"Key {number % 3}")]
    instants = (f"{DAYS[number] - timedelta(days=number)}T17:00:00Z", f"{DAYS[number] + timedelta(days=1)}T01:30:00Z")
    api.lists["api_keys"] = [api_key(n, last_used_at=instants[n % 2]) for n in range(2)] + [api_key(2)]


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five nights, each observed twice."""
    made = Nights(tmp_path_factory.mktemp("landed"), company())
    for number, day in enumerate(DAYS):
        for version in range(2):
            tell(made.api, number, version)
            at = NEXT_NIGHT + timedelta(days=number, hours=version)
            made.derive(made.observe(day, at))
    return made.data.root


@contextmanager
def nights_of(landed: Path) -> Iterator[Nights]:
    with TemporaryDirectory() as scratch:
        shutil.copytree(landed / "landing", Path(scratch) / "landing")
        yield Nights(Path(scratch), company())


def observations(made: Nights, number: int) -> list[Observation]:
    return list(complete_observations(made.data, "org_1", DAYS[number]))


def told_now(made: Nights, number: int) -> dict[str, Any]:
    """What deriving a night gives now: its rows of last use, what is carried beside them, its snapshot."""
    staged = made.data.staging("look")
    observation = observations(made, number)[0]
    derive(observation, made.data, staged, DropGuard(accepted=True), Loading(NEXT_NIGHT + timedelta(days=60), "run_1"))
    found: dict[str, Any] = {}
    for dataset in (LAST_USE, SNAPSHOTS):
        (file,) = [
            one for one in day_files(dataset, made.data, staged, organization_id="org_1") if one.day == DAYS[number]
        ]
        table = pq.ParquetFile(file.path).read()
        found[dataset] = table.to_pylist()
        if dataset == LAST_USE:
            carried = table.schema.metadata[FACTS_KEY].decode()
            found["carried"] = carried.partition('"coverage"')[2]
    shutil.rmtree(staged.root)
    day = DAYS[number] + timedelta(days=1)
    return found | {"covered": covered_to(made.data, "org_1", day), "spoke": spoke_to(made.data, "org_1", day)}


def told_from_scratch(made: Nights, number: int) -> dict[str, Any]:
    aside = made.data.root / "aside"
    there = (made.data.root / LAST_USE).exists()
    if there:
        (made.data.root / LAST_USE).rename(aside)
    try:
        return told_now(made, number)
    finally:
        if there:
            aside.rename(made.data.root / LAST_USE)


def damage(made: Nights, dataset: str, number: int, keep: int) -> None:
    for file in day_files(dataset, made.data):
        if file.day == DAYS[number]:
            content = file.path.read_bytes()
            file.path.chmod(0o644)
            file.path.write_bytes(content[:keep])


STEPS = st.one_of(
    st.tuples(st.just("derive"), st.integers(0, 4), st.integers(0, 1)),
    st.tuples(st.sampled_from([USAGE, COVERAGE, LAST_USE]), st.integers(0, 4), st.sampled_from([0, 40])),
)


@pytest.mark.slow
@given(steps=st.lists(STEPS, min_size=4, max_size=9), looked_at=st.integers(1, 4))
def test_what_is_carried_forward_is_what_all_files_tell(landed: Path, steps: list[Any], looked_at: int):
    """Nights in any order, some replaced, some late, some damaged."""
    with nights_of(landed) as made:
        for turn, (what, number, which) in enumerate(steps):
            if what == "derive":
                loading = Loading(NEXT_NIGHT + timedelta(days=30, hours=turn), "run_1")
                made.derive(observations(made, number)[which], DropGuard(accepted=True), loading)
            else:
                damage(made, what, number, which)
        assert told_now(made, looked_at) == told_from_scratch(made, looked_at)


def test_who_has_data_from_before_has_last_uses_told_from_all_files_once(tmp_path: Path):
    """Their files lack what later versions say; the nights' own landings are derived again on top of them."""
    shutil.copytree(KEPT, tmp_path / "data")
    made = Nights(tmp_path / "data", company())
    assert not day_files(LAST_USE, made.data)
    assert told_now(made, 1)[LAST_USE]
    loading = Loading(NEXT_NIGHT + timedelta(days=30), "run_1")
    made.derive(observations(made, 0)[0], DropGuard(accepted=True), loading)
    assert [file.day for file in day_files(LAST_USE, made.data)] == [DAYS[0]]
    assert told_now(made, 1) == told_from_scratch(made, 1)


def test_a_night_opens_no_file_of_use_of_an_earlier_one_but_what_was_carried_forward(nights: Start):
    """Else it would cost more with every night that there has been."""
    api = company()
    made = nights(api)
    for number in range(5):
        tell(api, number, 0)
        made.night(DAYS[number])
    tell(api, 0, 1)
    later = DAYS[4] + timedelta(days=30)
    observation = made.observe(later)
    before = made.derive(observation).facts
    for dataset in (USAGE, COVERAGE):
        for file in day_files(dataset, made.data):
            if file.day < later:
                spoil(file.path)
    assert covered_to(made.data, "org_1", later)["analytics_usage"] == DAYS[4]
    assert made.derive(observation).facts == before


def spoil(file: Path) -> None:
    """Whoever opens it fails; by its size and time it is the same."""
    stat = file.stat()
    file.chmod(0o644)
    file.write_bytes(bytes(stat.st_size))

    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_of_what_was_carried_forward_the_last_of_each_month_and_the_night_before_stay(tmp_path: Path):
    data = DataDirectory(tmp_path)
    days = [date(2026, 4, 29) + timedelta(days=n) for n in range(40)]
    for day in days:
        place = data.root / LAST_USE / f"observed_day={day}" / "organization_id=org_1" / "part.parquet"
        place.parent.mkdir(parents=True)
        place.touch()
    drop_old(data, "org_1", date(2026, 6, 3))
    assert [str(file.day) for file in day_files(LAST_USE, data)] == [
        *(
            "2026-04-30",
            "2026-05-31",
            "2026-06-02",
            "2026-06-03",
            "2026-06-04",
            "2026-06-05",
            "2026-06-06",
            "2026-06-07",
        )
    ]
    assert len(list((data.root / LAST_USE).iterdir())) == 8
