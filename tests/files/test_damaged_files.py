"""Stored files of ours that are cut, empty, overwritten or somebody else's: each costs only what it alone could tell.

Who holds what tonight is asked and published whatever an old file looks like; the file is named with the command that
mends it, and the command does.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sandbox import serving
from tests.commandline import Finished, Operator
from tests.scripted import DAY, Nights, ScriptedApi, activity, api_key, as_app, person, used, user

pytestmark = pytest.mark.slow

DAYS = [DAY + timedelta(days=n) for n in range(4)]
USED = "2026-05-20"
SNAPSHOTS, USAGE, COVERAGE = "snapshots/license_assignments", "usage/license_usage", "usage/usage_coverage"
Damage = Callable[[Path], object]


class Company(Operator):
    api: ScriptedApi

    def file(self, dataset: str, day: date) -> Path:
        (found,) = (self.data / dataset).glob(f"*={day}/organization_id=org_1/part.parquet")
        return found

    def fourth_night(self) -> Finished:
        return self.night(DAYS[3])

    def mend(self, day: date) -> Finished:
        """What the sentence says."""
        words = ("backfill", "--from", str(day), "--to", str(day), "--replace", "--source", "replay")
        return self(*words, LICENSES_NOW=f"{DAYS[3] + timedelta(days=1)}T03:00:00+00:00")


def command(day: date) -> str:
    return f"licenses backfill --from {day} --to {day} --replace --source replay makes it anew from the landing."


@pytest.fixture(scope="module")
def three_nights(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Company]:
    """Somebody was used long ago, which only the first night's reports tell, and joined or left each night."""
    api = ScriptedApi(
        users=[user(n) for n in range(1, 6)],
        api_keys=[api_key(1)],
        analytics_usage=[used(USED, actor=person("user_0001"), key="apikey_0001")],
        activities=[activity(1, "2026-01-05T08:00:00Z", "claude_user_role_updated")],
    )
    with serving(as_app(api)) as url:
        company = Company(tmp_path_factory.mktemp("nights"), url, home=home)
        company.api = api
        for number, day in enumerate(DAYS[:3]):
            api.lists["users"] = [user(n) for n in range(1, 6 + number)]
            finished = company.night(day)
            assert finished.status == 0, finished.err
        yield company


@pytest.fixture
def company(three_nights: Company, tmp_path: Path) -> Company:
    """The same record, to be damaged."""
    copy = Company(tmp_path, three_nights.environment["ANTHROPIC_BASE_URL"])
    copy.api = three_nights.api
    shutil.copytree(three_nights.data, copy.data, dirs_exist_ok=True)
    return copy


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def text(path: Path) -> None:
    path.write_text("not Parquet")


def foreign(path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), path)


def zero_inside(path: Path) -> None:
    """The footer can be read, what lies before it cannot."""
    content = bytearray(path.read_bytes())
    footer = int.from_bytes(content[-8:-4], "little") + 8
    content[4:-footer] = bytes(len(content) - 4 - footer)
    path.write_bytes(content)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


ALL: list[Damage] = [cut, empty, zero, text, foreign, zero_inside, folder]


def named(finished: Finished, path: Path, day: date) -> None:
    assert finished.status == 3, finished.err
    (line,) = [line for line in finished.err.splitlines() if f"{path} cannot be read (" in line]
    assert line.endswith(command(day))
    assert "Traceback" not in finished.err


@pytest.mark.parametrize("damage", ALL)
def test_damaged_old_files_cost_no_night_and_are_named_with_what_mends_them(company: Company, damage: Damage):
    """The warehouse goes on telling what it knew by them; what the landing tells is made anew by the command."""
    rows = "select * from license_snapshots where snapshot_date < date '2026-06-04' order by all"
    before = company.ask(rows)
    damaged = {company.file(USAGE, DAYS[0]): DAYS[0], company.file(SNAPSHOTS, DAYS[1]): DAYS[1]}
    damaged |= {company.file(COVERAGE, DAYS[2]): DAYS[2]}
    for path in damaged:
        damage(path)

    night = company.fourth_night()
    for path, day in damaged.items():
        named(night, path, day)
    assert company.ask("select snapshot_date, users from snapshot_log order by all") == [
        (day, 5 + min(number, 2)) for number, day in enumerate(DAYS)
    ]
    assert company.ask(rows) == before
    for path, day in damaged.items():
        if damage is folder:
            path.rmdir()
        mended = company.mend(day)
        assert str(path) not in mended.err
    assert (mended.status, mended.err) == (0, "")
    assert company.ask(rows) == before
    again = company.night(DAYS[3], "--again")
    assert (again.status, again.err) == (0, "")


def test_copies_of_folders_are_nobodys_days(company: Company):
    """Somebody keeps copies beside ours: under another day, another organization's name, and under no name of ours."""
    rows = company.ask("select * from license_snapshots order by all")
    for dataset in (SNAPSHOTS, USAGE, COVERAGE):
        ours = company.file(dataset, DAYS[0]).parent
        for copy in (ours.with_name("organization_id=org_1_copy"), ours.with_name("Copy of organization_id=org_1")):
            shutil.copytree(ours, copy)
    day = company.file(SNAPSHOTS, DAYS[0]).parent.parent
    shutil.copytree(day, day.with_name("snapshot_date=2026-05-25"))
    finished = company.fourth_night()
    assert (finished.status, finished.err) == (0, "")
    known = f"select * from license_snapshots where snapshot_date < date '{DAYS[3]}' order by all"
    assert company.ask(known) == rows
    assert company.ask("select distinct organization_id from license_snapshots") == [("org_1",)]


Start = Callable[..., Nights]


def asked_for_usage(made: Nights) -> list[str]:
    """From when the last night asked for use."""
    last = [request for request in made.api.asked if request.url.path.endswith("analytics/usage")]
    return [request.url.params["starting_at"][:10] for request in last]


def two_nights(nights: Start) -> Nights:
    """The first night heard of use long ago, the second only of the last days."""
    api = ScriptedApi(users=[user(1), user(2)], analytics_usage=[used(USED, actor=person("user_0001"))], activities=[])
    made = nights(api)
    for day in DAYS[:2]:
        made.night(day)
    api.asked.clear()
    return made


@pytest.mark.parametrize(
    ("dataset", "damage"), [(USAGE, cut), (USAGE, foreign), (COVERAGE, empty), (COVERAGE, zero_inside)]
)
def test_where_a_night_is_lost_use_is_asked_for_again_from_before_it(nights: Start, damage: Damage, dataset: str):
    made = two_nights(nights)
    late, next_day = DAY + timedelta(days=12), DAY + timedelta(days=13)
    made.api.lists["analytics_usage"] += [used("2026-06-05", actor=person("user_0002"))]
    made.night(late)
    first = asked_for_usage(made)
    made.api.asked.clear()
    damage(made.data.root / dataset / f"observed_day={late}" / "organization_id=org_1" / "part.parquet")
    rows = made.night(next_day)
    assert asked_for_usage(made) == first
    assert {who: row["last_used_state"] for who, row in rows.items()} == {"user_0001": "used", "user_0002": "used"}


@pytest.mark.parametrize(
    ("damage", "since"), [(cut, date(2026, 3, 4)), (empty, date(2026, 3, 4)), (zero_inside, date(2026, 5, 30))]
)
def test_silence_of_a_report_of_which_some_is_lost_proves_nothing(nights: Start, damage: Damage, since: date):
    """What only a lost file told of is not known, and asked for again where that is seen in time; if it is not, that
    nobody was used before the other nights' days is claimed by none."""
    made = two_nights(nights)
    assert made.rows(DAYS[1])["user_0001"]["last_used_state"] == "used"
    damage(made.data.root / USAGE / f"observed_day={DAYS[0]}" / "organization_id=org_1" / "part.parquet")
    made.api.lists["analytics_usage"] = []
    row = made.night(DAYS[2])["user_0001"]
    assert (row["last_used_state"], row["usage_observed_since"]) == ("never_seen", since)
    assert row["last_used_at"] is None
