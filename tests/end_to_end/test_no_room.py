"""Memory that does not suffice: whichever command needs it, a sentence names the setting, and what was there stands."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox import serving
from tests.commandline import Finished, Operator
from tests.scripted import DAY, ScriptedApi, activity, api_key, as_app, user

pytestmark = pytest.mark.slow

MISSED, BASE, NEXT = (DAY + timedelta(days=number) for number in (1, 2, 3))
NOW = "2026-06-05T09:00:00Z"
SETTING = "memory ran out: LICENSES_MEMORY allows DuckDB 1MB; set it to more, such as 2MB"
BUILDING = (
    f"The new warehouse could not be made or put in place ({SETTING}). The old one stands, and so do the snapshots."
)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Operator]:
    """A company with two good nights behind it, and one between them that was missed."""
    told = {"user_id": "user_0002", "previous_role": "user", "current_role": "user"}
    feed = [
        activity(n, at, "claude_user_role_updated", **told)
        for n, at in ((2, "2026-06-05T02:30:00Z"), (1, "2026-05-05T09:00:00Z"))
    ]
    api = ScriptedApi(users=[user(n) for n in range(1, 2000)], api_keys=[api_key(1), api_key(2)], activities=feed)
    with serving(as_app(api)) as url:
        made = Operator(tmp_path_factory.mktemp("company"), url, home=home)
        for day in (DAY, BASE):
            finished = made.night(day)
            assert finished.status == 0, finished.err
        (made.folder / "kept.csv").write_text("Name;Email;Role;Status\nUser 1;user1@acme.example;Admin;Active\n")
        yield made


def short(company: Operator, *words: str) -> Finished:
    """A command that must fail for want of memory, in sentences, and leave what is published as it was."""
    before = company.published()
    finished = company(*words, LICENSES_MEMORY="1MB", LICENSES_NOW=NOW)
    assert finished.status == 1, (finished.out, finished.err)
    assert company.published() == before
    assert "Traceback" not in finished.err
    assert "Error" not in finished.err
    assert finished.err.startswith("licenses: ")
    return finished


def test_a_night_says_whose_snapshot_was_not_made_and_what_is_kept(company: Operator):
    told = short(company, "snapshot", "--day", str(NEXT)).err
    assert told.splitlines()[0].startswith(
        f"licenses: Acme (org_1), {NEXT}: {SETTING}. The snapshot was not published and the last one stands; what the "
        "API said is kept in the landing folder "
    )


def test_a_replay_says_which_day_it_was_and_what_stands(company: Operator):
    told = short(company, "backfill", "--from", str(DAY), "--to", str(DAY), "--source", "replay", "--replace").err
    assert f"licenses: org_1, {DAY} could not be replayed ({SETTING}). What was filled before stands" in told


def test_a_rollback_says_from_where_and_what_stands(company: Operator):
    told = short(company, "backfill", "--from", str(MISSED), "--to", str(MISSED)).err
    assert (
        f"licenses: org_1: days could not be rolled back from {BASE} ({SETTING}). What was filled before stands" in told
    )


@pytest.mark.parametrize(
    "words",
    [
        ("sql", "select list(i) from range(1_000_000) as r(i)"),
        ("import", "kept.csv", "--day", "2026-05-10", "--yes"),
        ("report", "--month", "2026-06"),
    ],
)
def test_what_asks_and_what_imports_says_it(company: Operator, words: tuple[str, ...]):
    assert short(company, *words).err == f"licenses: {SETTING}.\n"


@pytest.mark.parametrize("words", [("rebuild",), ("close", "2026-05")])
def test_what_builds_the_warehouse_says_that_the_old_one_stands(company: Operator, words: tuple[str, ...]):
    assert short(company, *words).err.startswith(f"licenses: {BUILDING}")


def test_with_memory_again_the_same_night_is_taken_from_what_was_heard(company: Operator):
    assert company("snapshot", "--day", str(NEXT), LICENSES_NOW=NOW).status == 0
    assert company("backfill", "--from", str(MISSED), "--to", str(MISSED), LICENSES_NOW=NOW).status == 0
