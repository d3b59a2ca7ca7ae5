"""A night amends a copy of the warehouse, and what comes of it is what all files together give: whatever changed."""

import random
import shutil
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.engine import engine
from assets.warehouse.build import build
from pipelines.subjects import SUBJECTS
from tests.finance.worlds import Finance
from tests.history.nights import FIRST, differing
from tests.history.snapshots import Row, Snapshot, write, write_coverage, write_usage

LIVES_FROM = date(2026, 3, 30)
"""So that weeks, months and an era of bits end meanwhile."""
NIGHTS = 7
LICENSE_TYPES = "role,license_type,takes_seat,valid_from,valid_to\n"
USUAL_TYPES = "user,User,true,,\nadmin,Admin,true,,\n"


ADA, BOB, EVE = ({"name": name, "email": f"{name}@x.org"} for name in ("Ada", "Bob", "Eve"))
EVERYBODY = {"ada", "bob", "eve"}


def night(number: int, **people: Row) -> Snapshot:
    return Snapshot("org", FIRST + timedelta(days=number), {"user": people})


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights of the same three people; the first told of a use."""
    made = Finance(tmp_path_factory.mktemp("published"))
    write_usage(made.tree.staging("run 1"), "org", FIRST, [{"holder_id": "ada", "usage_date": FIRST}])
    made.publish(night(0, ada=ADA, bob=BOB))
    made.publish(night(1, ada=ADA, bob=BOB, eve=EVE))
    return made.root


@pytest.fixture
def world(published: Path, tmp_path: Path) -> Finance:
    """A copy of them, with the files' times, by which a warehouse knows itself."""
    return Finance(shutil.copytree(published, tmp_path / "world"), nights=2)


class Again(NamedTuple):
    """Whose history, use and seats the next warehouse makes again."""

    history: set[str]
    use: set[str]
    seats: set[str]


def made_again(world: Finance, *snapshots: Snapshot, uses: Iterable[Row] = ()) -> Again:
    world.nights += 1
    staged = world.tree.staging(f"next {world.nights}")
    for one in snapshots:
        write(staged, one)
        write_usage(staged, "org", one.day, uses)
    with engine(world.root) as connection:
        build(connection, SUBJECTS, world.tree, staged, world.root / f"next {world.nights}.duckdb")
        ((amends,),) = connection.execute("select getvariable('amends')").fetchall()
        chosen = ("temp.changed_holders", "temp.changed_uses", "temp.changed_seats")
        made = ("internal.license_stretches", "internal.holder_uses", "internal.seat_stretches")
        rows = (connection.table(one).select("holder_id").fetchall() for one in (chosen if amends else made))
        return Again(*({who for (who,) in one} for one in rows))


@pytest.mark.parametrize(
    ("people", "changed"),
    [
        ({"ada": ADA, "bob": BOB, "eve": EVE}, set()),
        ({"ada": ADA, "bob": BOB | {"name": "Rob"}, "eve": EVE}, {"bob"}),
        ({"ada": ADA, "bob": BOB | {"email": None}, "eve": EVE}, {"bob"}),
        ({"ada": ADA, "eve": EVE, "zoe": {}}, {"bob", "zoe"}),
    ],
)
def test_only_who_is_another_than_the_day_before_is_made_again(
    world: Finance, people: dict[str, Row], changed: set[str]
):
    again = made_again(world, night(3, **people))
    assert (again.history, again.seats) == (changed, changed)


def test_nobody_is_made_again_because_nobody_looked(world: Finance):
    assert made_again(world, Snapshot("org", FIRST + timedelta(days=2))) == (set(), set(), set())


def test_of_use_only_theirs_of_whom_some_is_told(world: Finance):
    used = [{"holder_id": "bob", "usage_date": FIRST}]
    used += [{"subject": "eve@x.org", "matched_by": "email", "usage_date": FIRST + timedelta(days=1)}]
    assert made_again(world, night(2, ada=ADA, bob=BOB, eve=EVE), uses=used) == (set(), {"bob", "eve"}, set())


@pytest.mark.slow
def test_everybody_is_where_a_day_was_replaced_or_came_late(world: Finance):
    assert made_again(world, night(1, ada=ADA, bob=BOB, eve=EVE | {"name": "E."})).history == EVERYBODY
    world.publish(night(4, ada=ADA, bob=BOB, eve=EVE))
    assert made_again(world, night(3, ada=ADA, bob=BOB, eve=EVE)).history == EVERYBODY


@pytest.mark.slow
def test_everybody_is_where_the_table_of_license_types_was_edited(world: Finance):
    (world.root / "reference").mkdir()
    (world.root / "reference" / "license_types.csv").write_text(f"{LICENSE_TYPES}user,Seat,true,,\n")
    assert made_again(world, night(2, ada=ADA, bob=BOB, eve=EVE)).history == EVERYBODY


def test_everybody_is_where_somebody_wrote_to_the_file(world: Finance):
    with duckdb.connect(str(world.tree.warehouse)) as connection:
        connection.execute("create table mine (a integer)")
    assert made_again(world, night(2, ada=ADA, bob=BOB, eve=EVE)).history == EVERYBODY


def test_who_only_reads_the_file_changes_nothing_even_where_it_was_opened_for_writing(world: Finance):
    with duckdb.connect(str(world.tree.warehouse)) as connection:
        connection.execute("select count(*) from license_history")
    assert made_again(world, night(2, ada=ADA, bob=BOB, eve=EVE)).history == set()


@pytest.mark.slow
def test_where_an_era_of_bits_begins_what_was_used_before_is_carried_into_it(world: Finance):
    later = night(200, ada=ADA, bob=BOB, eve=EVE)
    assert made_again(world, later) == (set(), {"ada"}, set())
    world.publish(later)
    last_use = "select cast(last_used_at as date) from license_assignments where holder_id = 'ada'"
    assert world.ask(last_use) == [(FIRST,)]
    assert differing(world.tree.warehouse, world.anew()) == []


@pytest.mark.slow
def test_an_era_of_long_ago_may_come_between_those_that_are_known(world: Finance):
    for number, who, days in ((2, "bob", 1500), (3, "ada", 700)):
        told = [{"holder_id": who, "usage_date": FIRST - timedelta(days=days)}]
        write_usage(world.tree.staging(f"run {world.nights + 1}"), "org", FIRST + timedelta(days=number), told)
        world.publish(night(number, ada=ADA, bob=BOB, eve=EVE))
        assert differing(world.tree.warehouse, world.anew()) == []


class Life:
    """Some nights of two organizations, by seed: in order as a rule, and with all that may come between."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.people = {org: {who: self.person() for who in ("u1", "u2", "u3", "u4", "u5")} for org in ("a", "b")}
        self.keys = {org: {who: self.key() for who in ("k1", "k2", "k3")} for org in ("a", "b")}
        self.invites = {org: {who: self.invite() for who in ("i1", "i2")} for org in ("a", "b")}
        self.gone: set[tuple[str, str]] = {
            (org, who) for org in "ab" for who in ("u5", "k3", "i2", "u4") if self.happens(0.5)
        }

    def happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def one(self, *values: object) -> object:
        return self.random.choice(values)

    def instant(self) -> datetime | None:
        at = datetime(2026, 3, self.random.randrange(20, 32), self.random.randrange(24), tzinfo=UTC)
        return self.random.choice([None, at, datetime(2025, 11, 1, tzinfo=UTC)])

    def person(self) -> Row:
        license_type, role = self.random.choice([("User", "user"), ("Admin", "admin"), ("User", "user"), ("Odd", None)])
        mail = self.one("ada@x.org", "Bob@x.org", "eve@y.org", None)
        status = self.one("Active", "Active", "Active", "Disabled")
        return {
            "license_type": license_type,
            "role": role,
            "email": mail,
            "name": self.one("Ada", "Bob", None),
            "status": status,
            "assigned_at": self.instant(),
            "invite_id": self.one(None, None, "i1"),
        }

    def key(self) -> Row:
        status = self.one("member", "left", "unknown", "unknown")
        workspace = self.one(None, "w1", "w2")
        return {
            "license_type": "API Key",
            "role": None,
            "name": self.one("build", "deploy"),
            "owner_type": "user",
            "owner_user_id": self.one("u1", "u4", "u5"),
            "owner_status": status,
            "owner_email": self.one(None, "ada@x.org") if status != "unknown" else None,
            "workspace_id": workspace,
            "workspace_name": self.one(None, "Lab", "Works") if workspace else None,
            "key_scope": self.one(None, None, "organization") if not workspace else "workspace",
            "assigned_at": self.instant(),
            "status": self.one("Active", "Active", "Disabled"),
        }

    def invite(self) -> Row:
        mail = self.one("ada@x.org", "bob@x.org", "new@x.org", None)
        return {"status": "Pending", "email": mail, "assigned_at": self.instant()}

    def night(self, org: str, day: date) -> Snapshot:
        rosters = {}
        for kind, holders, make in (
            ("user", self.people[org], self.person),
            ("api_key", self.keys[org], self.key),
            ("invite", self.invites[org], self.invite),
        ):
            for who in holders:
                if self.happens(0.08):
                    holders[who] = make()
                elif self.happens(0.08) and "status" in holders[who]:
                    holders[who] = holders[who] | {"email": self.one("ada@x.org", "eve@y.org")}
                if self.happens(0.1):
                    self.gone ^= {(org, who)}
            if self.happens(0.88):
                rosters[kind] = {who: row for who, row in holders.items() if (org, who) not in self.gone}
        default = self.random.choice([None, None, "w1"])
        return Snapshot(org, day, rosters, name=self.random.choice(["Org", "Org", "New"]), default_workspace=default)

    def uses(self, day: date) -> list[Row]:
        found: list[Row] = []
        for _ in range(self.random.randrange(6)):
            used = day - timedelta(days=self.random.choice([-1, 0, 0, 1, 1, 2, 3, 9, 40, 150, 700]))
            of_whom = self.random.choice(
                [
                    {"holder_id": self.one("u1", "u2", "u9")},
                    {"subject": self.one("ada@x.org", "bob@x.org", "zoe@x.org"), "matched_by": "email"},
                    {"holder_type": "api_key", "subject": self.one("build", "none"), "matched_by": "name"},
                    {"holder_type": "api_key", "holder_id": "k1", "used_at": datetime.combine(used, time(5), UTC)},
                ]
            )
            found.append({"usage_date": used, "source": self.one("analytics", "claude_code")} | of_whom)
        return found

    def rules(self, world: Finance, day: date) -> None:
        soon = day + timedelta(days=self.random.choice([-20, 0, 1, 2]))
        if self.happens(0.15):
            world.reference(cost_centres=f"domain,x.org,Works,,{soon}\nid,u1,Lab,{soon},\n")
        if self.happens(0.1):
            world.reference(prices=f"User,all,,,30.00,EUR\nAPI Key,{self.one('a', 'all')},{soon},,5.00,EUR\n")
        if self.happens(0.1):
            world.reference(billing=f"all,{self.one('month-end', 'average')},EUR\n")
        if self.happens(0.1):
            types = f"user,User,true,,{soon}\nuser,Plus,{self.one('true', 'false')},{soon},\nadmin,Admin,true,,\n"
            text = LICENSE_TYPES + self.random.choice([types, USUAL_TYPES])
            (world.root / "reference" / "license_types.csv").write_text(text)


def live(seed: int, root: Path) -> None:
    """All nights of a life, each held against a warehouse from nothing."""
    life = Life(seed)
    world = Finance(root)
    world.reference(prices="User,all,,,30.00,EUR\n")
    days = [LIVES_FROM + timedelta(days=number) for number in range(NIGHTS)]
    if life.happens(0.3):  # one that comes late, or twice
        days.insert(life.random.randrange(2, NIGHTS), days[life.random.randrange(0, NIGHTS // 2)])
    for day in days:
        orgs = [org for org in "ab" if life.happens(0.85 if org == "a" else 0.6)]
        staged = world.tree.staging(f"run {world.nights + 1}")
        for org in orgs:
            if life.happens(0.8):
                write_usage(staged, org, day, life.uses(day))
                for kind in ("user", "api_key"):
                    if life.happens(0.7):
                        sees = life.random.choice(["all", "some"])
                        write_coverage(staged, org, day, day - timedelta(days=3), kind, sees=sees)
        life.rules(world, day)
        snapshots = [life.night(org, day) for org in orgs]
        if not snapshots and not world.nights:
            continue
        world.publish(*snapshots)
        assert differing(world.tree.warehouse, world.anew()) == [], (seed, day)


@pytest.mark.slow
@given(st.integers(0, 10**9))
def test_night_by_night_it_is_what_all_files_give(seed: int) -> None:
    with TemporaryDirectory() as folder:
        live(seed, Path(folder))
