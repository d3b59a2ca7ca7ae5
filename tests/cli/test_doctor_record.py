"""The doctor on the record: fresh or stale, which days are missing, and which of them a backfill can fill."""

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from assets.layout import FACTS_KEY, DataDirectory, snapshot_file
from assets.snapshots.snapshot import read_facts
from sandbox import serving
from tests.cli.conftest import COMPANY, DAY, NOW, Check, Said
from tests.commandline import Operator
from tests.scripted import ScriptedApi, activity, as_app, user

pytestmark = pytest.mark.slow


def test_a_record_that_was_taken_last_night_is_fresh(check: Check, data: DataDirectory):
    said = check()
    assert said.status == 0
    assert f"closing snapshot of {DAY}" in said.about("ok", "last snapshot")
    assert said.about("ok", "gaps") == "ok gaps: none in the last 366 days of Sandbox & Söhne Ltd."
    assert f"holds snapshots up to {DAY}" in said.about("ok", "warehouse")
    assert "A night would succeed now, and nothing is overdue" in said.text


def test_without_a_record_nothing_is_stale(check: Check, tmp_path: Path):
    said = check()
    assert said.status == 0
    assert said.about("note", "snapshots").endswith("take its first snapshot with: licenses snapshot")
    assert "is not there yet; the first snapshot makes it" in said.about("note", "place")
    assert list(tmp_path.iterdir()) == []


def test_a_day_that_is_due_and_missing_can_still_be_taken(check: Check, data: DataDirectory):
    said = check(LICENSES_NOW="2026-11-25T06:00:00Z")
    assert said.status == 3
    assert said.about("stale", "stale") == (
        "stale stale: Sandbox & Söhne Ltd: 2026-11-24 was due and is not there. It can be taken until 2026-11-26 "
        "00:00 UTC: licenses snapshot"
    )
    assert "none in the last 366 days" in said.about("ok", "gaps")
    assert "A night would succeed now, but something is stale or failed" in said.text


def test_nothing_is_stale_before_the_night_had_its_time(check: Check, data: DataDirectory):
    said = check(LICENSES_NOW="2026-11-25T05:59:00Z")
    assert said.status == 0
    assert said.subjects("stale") == []


def test_a_missing_day_before_last_night_is_a_gap_and_the_record_is_fresh_all_the_same(
    check: Check, data: DataDirectory
):
    copy_of_the_night(data, DAY - timedelta(days=2))
    said = check(LICENSES_NOW=f"{DAY + timedelta(days=1)}T03:30:00Z")
    assert said.subjects("stale") == ["warehouse"]  # which does not know the copy
    assert f"1 day without a snapshot ({DAY - timedelta(days=1)})" in said.about("note", "gaps")


def copy_of_the_night(data: DataDirectory, day: date, **facts: Any) -> None:
    """A snapshot of another day that says the same as the night's."""
    retold(data, snapshot_file(data, day, COMPANY.id), snapshot_date=day, **facts)


def retold(data: DataDirectory, path: Path, **facts: Any) -> None:
    """The night's snapshot, put at `path`, with other facts about itself."""
    night = snapshot_file(data, DAY, COMPANY.id)
    told = read_facts(night)
    assert told is not None
    metadata = {FACTS_KEY: msgspec.json.encode(msgspec.structs.replace(told, **facts))}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pq.ParquetFile(night).read().replace_schema_metadata(metadata), path)


def test_a_provisional_snapshot_of_a_day_that_is_over_is_stale(check: Check, data: DataDirectory):
    retold(data, snapshot_file(data, DAY, COMPANY.id), is_final=False, observed_at=NOW - timedelta(hours=5))
    said = check(LICENSES_NOW=f"{NOW.date()}T06:30:00Z")
    assert said.status == 3
    assert f"provisional snapshot of {DAY}" in said.about("ok", "last snapshot")
    finding = said.about("stale", "provisional")
    assert f"{DAY} is over, and its closing snapshot was not taken. It can be taken until" in finding


def test_todays_provisional_snapshot_does_not_hide_that_yesterdays_is_missing(check: Check, data: DataDirectory):
    today = DAY + timedelta(days=2)
    copy_of_the_night(data, today, is_final=False)
    said = check(LICENSES_NOW=f"{today}T07:00:00Z")
    assert said.status == 3
    assert f"{today - timedelta(days=1)} was due and is not there" in said.about("stale", "stale")


def test_what_the_last_snapshot_could_not_know_is_told(check: Check, data: DataDirectory):
    retold(data, snapshot_file(data, DAY, COMPANY.id), api_keys=None)
    assert "Unknown, not zero: API keys" in check().about("note", "last snapshot")


def test_an_organization_that_no_key_belongs_to_is_not_called_stale(check: Check, data: DataDirectory):
    with serving(as_app(ScriptedApi(users=[user(1)]))) as url:
        said = check(ANTHROPIC_BASE_URL=url, LICENSES_NOW="2026-11-28T07:00:00Z")
    assert f"its snapshots end with {DAY}" in said.about("note", "not watched")
    assert "no record yet of Acme (org_1)" in said.about("note", "snapshots")
    assert said.subjects("stale") == []


def nights(folder: Path, home: Path, url: str, *days: int) -> Operator:
    """Nights of these days of June."""
    operator = Operator(folder, url, home=home)
    for day in days:
        assert operator.night(date(2026, 6, day)).status == 0
    return operator


def checked(operator: Operator, now: str) -> Said:
    return Said(operator("check", LICENSES_NOW=now))


def test_gaps_are_told_with_what_the_feed_can_fill_and_the_command(tmp_path: Path, home: Path):
    feed = [
        activity(number, at, "chat_created")
        for number, at in ((2, "2026-06-07T20:00:00Z"), (1, "2026-06-04T12:00:00Z"))
    ]
    api = ScriptedApi(users=[user(1)], activities=feed)
    with serving(as_app(api)) as url:
        operator = nights(tmp_path, home, url, 1, 7)
        said = checked(operator, "2026-06-08T03:00:00Z")
        assert said.status == 0, said.text
        assert "Acme: 5 days without a snapshot (2026-06-02 to 2026-06-06)." in said.text
        assert "From the Activity Feed can be filled: 2026-06-04 to 2026-06-06." in said.text
        assert "Fill: licenses backfill --from 2026-06-04 --to 2026-06-06" in said.text
        assert "Cannot be filled: 2026-06-02 to 2026-06-03: the Activity Feed proves nothing before" in said.text
        filled = operator("backfill", "--from", "2026-06-04", "--to", "2026-06-06", LICENSES_NOW="2026-06-08T03:00:00Z")
        assert filled.status == 0, filled.err
        after = checked(operator, "2026-06-08T03:00:00Z")
    assert "Acme: 2 days without a snapshot (2026-06-02 to 2026-06-03)." in after.text
    assert "licenses backfill" not in after.text


def test_gaps_of_an_organization_without_a_feed_cannot_be_filled_and_why(tmp_path: Path, home: Path):
    with serving(as_app(ScriptedApi(users=[user(1)]))) as url:
        operator = nights(tmp_path, home, url, 1, 4)
        said = checked(operator, "2026-06-05T03:00:00Z")
    assert "Cannot be filled: 2026-06-02 to 2026-06-03: the Activity Feed is not available (HTTP 404" in said.text
    assert "licenses backfill" not in said.text


def test_a_day_that_landed_and_was_not_published_can_be_filled_without_asking(tmp_path: Path, home: Path):
    with serving(as_app(ScriptedApi(users=[user(1)]))) as url:
        operator = nights(tmp_path, home, url, 1, 2, 3)
        shutil.rmtree(operator.data / "snapshots/license_assignments/snapshot_date=2026-06-02")
        said = checked(operator, "2026-06-04T05:00:00Z")
    assert "From the landing can be filled: 2026-06-02." in said.text
    assert "Fill: licenses backfill --from 2026-06-02 --to 2026-06-02" in said.text


def test_a_record_that_is_later_than_this_machines_clock_is_a_problem(check: Check, data: DataDirectory):
    said = check(LICENSES_NOW=f"{DAY}T12:00:00Z")
    assert said.status == 1
    assert "the clock is behind. Set it right" in said.about("problem", "clock")
