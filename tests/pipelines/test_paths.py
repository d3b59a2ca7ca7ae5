"""Where the data lies is data: no folder above it is a pattern, a column of ours or the end of a text.

What DuckDB would read instead lies beside it: folders that fit the patterns in the name, with other holders in them.
"""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from sandbox import serving
from tests.commandline import Finished, Operator
from tests.scripted import DAY, ScriptedApi, activity, api_key, as_app, claude_code, invite, messages, user

pytestmark = pytest.mark.slow

NEXT = DAY + timedelta(days=1)
PAST = date(2026, 5, 30)
NOW = {"LICENSES_NOW": "2026-06-03T09:00:00Z"}
ABOVE = "status=live/source=anthropic/holder_type=lake/snapshot_date=2020-01-01/organization_id=other/observed_day=x"
NAMES = {
    "patterns": "licenses [prod] *.",
    "patterns of letters": "[!x] [a-c]",
    "quotes": """it's "ours" $HOME `x` ~""",
    "columns": ABOVE,
    "marks": "100%41 #1 {a,b} (c) & ; ü 許 +",
    "two lines": "one\ntwo\ttabs",
    "long": "/".join(["a folder of a rather long name"] * 8),
    "everything": f"it's [prod] *#%{{a,b}}/{ABOVE}/data",
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    api = ScriptedApi(
        users=[user(1), user(2)],
        api_keys=[api_key(1)],
        invites=[invite(1)],
        claude_code=[claude_code("2026-06-01", type="user_actor", email_address="user1@acme.example")],
        messages_usage=[messages("2026-06-01", {"api_key_id": "apikey_0001", "account_id": None})],
        activities=[activity(2, "2026-06-02T23:00:00Z", "x"), activity(1, "2026-01-05T08:00:00Z", "x")],
    )
    with serving(as_app(api)) as url:
        yield url


def well(finished: Finished, *statuses: int) -> Finished:
    assert finished.status in (statuses or (0,)), finished.err
    assert "should not have happened" not in finished.err
    assert "Traceback" not in finished.err
    assert "elemetry" not in finished.err
    return finished


def decoys(operator: Operator) -> None:
    """What a pattern would find instead, with the same folders in it."""
    for name in ("licenses p xy.", "licenses r .", "a b", "b c"):
        decoy = operator.folder.parent / name / "data" / "snapshots"
        if not decoy.exists():
            shutil.copytree(operator.data / "snapshots", decoy)
            for file in decoy.rglob("part.parquet"):
                file.write_bytes(b"somebody else's")


@pytest.mark.parametrize("name", NAMES)
def test_a_record_lies_in_any_folder(tmp_path: Path, home: Path, url: str, name: str):
    operator = Operator(tmp_path / NAMES[name], url, home=home)
    well(operator.night(DAY))
    decoys(operator)
    well(operator.night(NEXT))
    well(operator("backfill", "--from", str(DAY), "--to", str(DAY), "--source", "replay", "--replace", **NOW))
    asked = operator.ask("select distinct source, holder_type from license_usage order by all")
    assert asked == [("claude_code", "user"), ("messages_usage", "api_key")]
    rows = "select snapshot_date, organization_id, holder_id, status from license_snapshots order by all"
    holders = [("apikey_0001", "Active"), ("invite_0001", "Pending"), ("user_0001", "Active"), ("user_0002", "Active")]
    assert operator.ask(rows) == [(day, "org_1", *holder) for day in (DAY, NEXT) for holder in holders]


def test_the_whole_story_in_a_folder_of_the_worst_name(tmp_path: Path, home: Path, url: str):
    operator = Operator(tmp_path / NAMES["everything"], url, home=home)
    for day in (DAY, NEXT):
        well(operator.night(day))
    well(operator("backfill", "--from", "2026-05-28", "--to", "2026-05-29", **NOW))
    (operator.folder / "members.csv").write_text("Email,Role\nuser1@acme.example,Admin\n")
    well(operator("import", "members.csv", "--day", str(PAST), "--yes", **NOW))
    gaps = ("--acknowledge-gap", "2026-05-01..2026-05-27", "--acknowledge-gap", "2026-05-30..2026-05-31")
    well(operator("close", "2026-05", *gaps, "--by", "Ada", **NOW))
    well(operator("report", "--month", "2026-05", **NOW))
    well(operator("report", "--month", "2026-05", "--format", "xlsx", **NOW))
    shown = well(operator("sql", "select count(*) from snapshot_log", "--format", "csv"))
    assert shown.out.split()[-1] == "5"
    well(operator("history", "user_0001", **NOW))
    well(operator("check", **NOW), 0, 1, 3)
    assert operator.ask("select provenance, count(*) from snapshot_log group by all order by all") == [
        ("imported", 1),
        ("observed", 2),
        ("reconstructed", 2),
    ]
