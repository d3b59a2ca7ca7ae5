"""The file attached to an analyst's own database, whatever that holds: by DuckDB 2 and by a 1.x client."""

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from assets.warehouse.relations import Kind, relations
from pipelines.subjects import SUBJECTS
from tests.history.snapshots import Snapshot, World

OLDER = Path(__file__).parents[2] / ".venv-duckdb1" / "bin" / "python"
DAY = date(2026, 3, 1)
CALLS = {
    "changes_between": "date '2026-02-28', date '2026-03-02'",
    "holder_timeline": "'ada'",
    "licenses_known_at": "date '2026-03-02', timestamptz '2999-01-01 00:00:00+00'",
    "licenses_on": "date '2026-03-02'",
    "seats_between": "date '2026-03-01', date '2026-03-02'",
    "active_on": "date '2026-03-02'",
    "seats_on": "date '2026-03-02'",
}
KNOWN_AT = "licenses_on(date '2026-03-02', known_at := timestamptz '2999-01-01 00:00:00+00')"
SESSION = """
import json, sys, duckdb
for statements in json.load(sys.stdin):
    with duckdb.connect(":memory:") as connection:
        try:
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            print(json.dumps(rows, default=str))
        except duckdb.Error as error:
            print(json.dumps(str(error)))
"""


class Analyst(NamedTuple):
    """Somebody with a Python of their own, and its DuckDB."""

    python: Path
    warehouse: Path

    def ask(self, *sessions: list[str]) -> list[Any]:
        """The last answer of each session, or the error that ended it."""
        finished = subprocess.run(
            [self.python, "-c", SESSION], input=json.dumps(sessions), capture_output=True, text=True, check=True
        )
        return [json.loads(line) for line in finished.stdout.splitlines()]

    def attach(self, name: str) -> str:
        return f"attach '{self.warehouse}' as {name} (read_only)"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World(tmp_path_factory.mktemp("world"))
    world.publish(
        Snapshot("org", DAY, {"user": {"ada": {"name": "Ada"}}}),
        Snapshot("org", DAY + timedelta(days=1), {"user": {"ada": {"name": "Ada"}, "bob": {}}}),
    )
    return world.tree.warehouse


@pytest.fixture(params=[Path(sys.executable), OLDER], ids=["ours", "older"])
def analyst(request: pytest.FixtureRequest, warehouse: Path) -> Analyst:
    if not request.param.exists():
        pytest.skip("make test installs the older client")
    return Analyst(request.param, warehouse)


def macros() -> list[str]:
    calls = [f"{one.name}({CALLS[one.name]})" for one in relations(SUBJECTS) if one.kind == Kind.MACRO]
    return [*calls, KNOWN_AT]


def own_tables(*kinds: str) -> list[str]:
    """The caller's, called as what macros and views read; they would not fit in its place."""
    everything = relations(SUBJECTS)
    read = {name for one in everything if one.kind != Kind.TABLE for name in one.reads}
    stems = sorted({one.path.stem for one in everything if one.name in read})
    own = [f"create {kind}{stem} as select 'mine' as own" for kind in kinds for stem in stems]
    return ["create schema internal", *own]


def test_macros_answer_where_the_file_is_attached_as_lic(analyst: Analyst) -> None:
    counts = "select count(*), count(distinct organization_id) from {}"
    inside = analyst.ask(*([analyst.attach("w"), "use w", counts.format(call)] for call in macros()))
    attached = analyst.ask(*([analyst.attach("lic"), counts.format(f"lic.{call}")] for call in macros()))
    assert all(rows[0][0] > 0 for rows in inside), inside
    assert attached == inside


@pytest.mark.slow
def test_a_callers_own_tables_do_not_answer_for_the_file(analyst: Analyst) -> None:
    counts = "select count(*), count(distinct organization_id) from lic.{}"
    alone = analyst.ask(*([analyst.attach("lic"), counts.format(call)] for call in macros()))
    own = own_tables("table ", "table internal.", "temp table ")
    among = analyst.ask(*([analyst.attach("lic"), *own, counts.format(call)] for call in macros()))
    assert among == alone


def test_under_another_name_macros_say_so_and_answer_after_use(analyst: Analyst) -> None:
    call = "licenses_on(date '2026-03-01')"
    missing, answer = analyst.ask(
        [analyst.attach("other"), *own_tables("table ", "table internal.", "temp table "), f"from other.{call}"],
        [analyst.attach("other"), "use other", f"select holder_id from {call}"],
    )
    assert "does not exist" in missing
    assert answer == [["ada"]]


def test_a_schema_called_lic_beside_the_file_is_refused_and_not_mixed_up(analyst: Analyst) -> None:
    own, used, searched = analyst.ask(
        [analyst.attach("lic"), "create schema memory.lic", "from lic.licenses_on(date '2026-03-01')"],
        [analyst.attach("lic"), "use lic", "from licenses_on(date '2026-03-01')"],
        [analyst.attach("lic"), "set search_path = 'lic'", "from licenses_on(date '2026-03-01')"],
    )
    assert "Ambiguous reference" in own
    assert "Ambiguous reference" in used
    assert "Ambiguous reference" in searched


def test_after_use_lic_a_name_in_two_parts_is_refused_and_one_in_three_answers(analyst: Analyst) -> None:
    use = [analyst.attach("lic"), "use lic"]
    names = ("lic.license_history", "lic.main.license_history", "license_history")
    two, *others = analyst.ask(*([*use, f"select holder_id from {name} order by all"] for name in names))
    assert "Ambiguous reference" in two
    assert others == [[["ada"], ["bob"]]] * 2


def test_tables_and_views_answer_under_any_name_whatever_the_caller_has(analyst: Analyst) -> None:
    queries = [
        "select holder_id from other.main.license_history order by all",
        "select count(*) from other.license_snapshots",
        "select sum(seats) from other.seat_counts_daily",
    ]
    own = own_tables("table ", "table internal.")
    answers = analyst.ask(*([analyst.attach("other"), *own, query] for query in queries))
    assert answers == [[["ada"], ["bob"]], [[3]], [[3]]]


def test_a_view_of_the_callers_own_may_stand_on_a_macro(analyst: Analyst, tmp_path: Path) -> None:
    own = [f"attach '{tmp_path / 'own.duckdb'}' as own", "use own", analyst.attach("lic")]
    made, asked = analyst.ask(
        [*own, "create view march as from lic.licenses_on(date '2026-03-02')"],
        [*own, "select holder_id from march order by all"],
    )
    assert (made, asked) == ([], [["ada"], ["bob"]])
