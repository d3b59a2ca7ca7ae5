"""What did we believe then? Every answer, recorded when it was given, can be had again."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.snapshots import Row, Snapshot, World
from tests.history.test_history import FIRST, STATES

pytestmark = pytest.mark.slow

SPAN = 4
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = "* exclude (valid_from, valid_to)"
TABLES = (
    "role,license_type,takes_seat\nuser,User,true\nadmin,Admin,true\n",
    "role,license_type,takes_seat\nuser,Member,true\n",
    "role,license_type,takes_seat,valid_from,valid_to\nuser,User,true,,2026-01-31\nuser,Member,false,2026-01-31,\n",
)
PLACES: list[Row] = [
    {"license_type": "API Key", "role": None, "workspace_id": None},
    {
        "license_type": "API Key",
        "role": None,
        "workspace_id": "w0",
        "key_scope": "workspace",
        "workspace_name": "Default",
    },
    {"license_type": "API Key", "role": None, "workspace_id": None, "key_scope": "organization"},
]
Answer = list[tuple[object, ...]]


def versions() -> st.SearchStrategy[Snapshot]:
    kinds = STATES | {"api_key": [*STATES["api_key"], *PLACES]}
    rosters = st.fixed_dictionaries(
        {},
        optional={
            kind: st.dictionaries(st.sampled_from([f"{kind}_1", f"{kind}_2"]), st.sampled_from(states))
            for kind, states in kinds.items()
        },
    )
    return st.builds(
        Snapshot,
        organization=st.sampled_from(["a", "b"]),
        day=st.integers(0, SPAN - 1).map(lambda offset: FIRST + timedelta(days=offset)),
        rosters=rosters,
        is_final=st.booleans(),
        name=st.sampled_from(["Org", "Renamed", None]),
        workspaces=st.booleans(),
        default_workspace=st.sampled_from([None, "w0"]),
    )


def steps() -> st.SearchStrategy[list[Snapshot | str]]:
    """A life: versions of days are loaded, and now and then the table of license types is edited."""
    return st.lists(versions() | versions() | versions() | st.sampled_from(TABLES), min_size=2, max_size=9)


@given(versions(), steps())
def test_every_answer_that_was_ever_given_can_be_had_again(first: Snapshot, life: list[Snapshot | str]) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        given: dict[datetime, dict[date, Answer]] = {}
        for number, step in enumerate([first, *life]):
            at = START + timedelta(minutes=number)
            take(world, step, at)
            given[at] = {day: answer(world, day) for day in days()}
        for at, answers in given.items():
            for known_at in (at, at + timedelta(seconds=59)):
                for day in days():
                    assert answer(world, day, known_at) == answers[day], (known_at, day)
        assert all(answer(world, day, START - timedelta(seconds=1)) == [] for day in days())


def take(world: World, step: Snapshot | str, at: datetime) -> None:
    if isinstance(step, Snapshot):
        world.load(step, at)
        return
    own = world.root / "reference" / "license_types.csv"
    own.parent.mkdir(exist_ok=True)
    own.write_text(step)
    world.publish(at=at)


def days() -> list[date]:
    return [FIRST + timedelta(days=offset) for offset in range(-1, SPAN + 2)]


def answer(world: World, day: date, known_at: datetime | None = None) -> Answer:
    if known_at is None:
        return world.ask(f"select {EVERYTHING} from licenses_on(?) order by all", day)
    return world.ask(f"select {EVERYTHING} from licenses_on(?, known_at := ?) order by all", day, known_at)
