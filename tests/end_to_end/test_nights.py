"""Nights of the sandbox through the command line, over HTTP, into Parquet and DuckDB: equal to the truth."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pytest

from sandbox import (
    Clock,
    FaultPlan,
    KeyShape,
    Options,
    Organization,
    State,
    UsageGeneration,
    create_app,
    serving,
)
from tests.commandline import Finished, Operator

pytestmark = pytest.mark.slow

LAST = date(2026, 6, 2)
DAYS = (LAST - timedelta(days=1), LAST)
TODAY = LAST + timedelta(days=1)


class Company(Operator):
    """The sandbox organization and somebody who takes its snapshots."""

    organization: Organization
    shape: KeyShape
    finished: list[Finished]

    def truth(self, day: date) -> State:
        return self.organization.truth(day)

    def manifest(self, day: date) -> dict:
        folder = sorted((self.data / "landing" / self.organization.id / str(day)).iterdir())[-1]
        return json.loads((folder / "manifest.json").read_text())

    def snapshot(self, day: date) -> list[tuple]:
        """A day's rows as the Parquet folder has them, whatever the columns."""
        return duckdb.sql(
            f"""select holder_type, holder_id, role, status_raw, name, email, workspace_id, assigned_at
            from read_parquet('{self.data}/snapshots/**/*.parquet', hive_partitioning = true)
            where snapshot_date = '{day}' order by all"""
        ).fetchall()


@pytest.fixture(
    scope="module",
    params=[(UsageGeneration.ANALYTICS, KeyShape.NEWER), (UsageGeneration.REPORTS, KeyShape.OLDER)],
    ids=["newer", "older"],
)
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Company]:
    """Two closing nights with faults on the way, and today's provisional snapshot."""
    clock = Clock(datetime(2026, 6, 1, tzinfo=UTC))
    organization = Organization("nights", 45, 20)
    usage, shape = request.param
    options = Options(usage=usage, key_shape=shape, page_cap=25, fault_plan=FaultPlan(every=7), keys_tell_last_use=True)
    with serving(create_app(organization, clock=clock.now, options=options)) as url:
        made = Company(tmp_path_factory.mktemp("nights"), url, clock, home=home)
        made.organization, made.shape = organization, shape
        made.finished = [made.night(day) for day in DAYS]
        made.finished.append(made.at(datetime(2026, 6, 3, 15, tzinfo=UTC), TODAY))
        yield made


def test_the_nights_end_well_and_say_what_they_hold(company: Company):
    assert [(one.status, one.err) for one in company.finished] == [(0, "")] * 3
    truth = company.truth(LAST)
    pending = sum(invite.status == "pending" for invite in truth.invites)
    assert company.finished[1].out.splitlines()[0] == (
        f"Sandbox & Söhne Ltd ({company.organization.id}), closing snapshot of 2026-06-02: "
        f"{len(truth.members)} members, {len(truth.api_keys)} API keys, {pending} pending invites."
    )
    assert (
        company.finished[1].out.splitlines()[-1].startswith(f"Published: {company.data}/warehouse.duckdb (Dagster run")
    )
    assert "provisional snapshot of 2026-06-03" in company.finished[2].out


@pytest.mark.parametrize("day", DAYS)
def test_the_members_of_a_day_are_the_truth(company: Company, day: date):
    told = [row[1:] for row in company.snapshot(day) if row[0] == "user"]
    assert told == sorted(
        (row.id, row.role, None, row.name, row.email, None, row.added_at) for row in company.truth(day).members
    )


@pytest.mark.parametrize("day", DAYS)
def test_the_keys_of_a_day_are_the_truth(company: Company, day: date):
    told = [row[1:] for row in company.snapshot(day) if row[0] == "api_key"]
    # The newer shape names the default workspace, too; the older one leaves its id out.
    default = company.organization.default_workspace.id if company.shape is KeyShape.NEWER else None
    keys = [
        (row, row.workspace_id or (None if row.of_organization else default)) for row in company.truth(day).api_keys
    ]
    assert told == sorted((row.id, None, row.status, row.name, None, place, row.created_at) for row, place in keys)


def test_last_uses_are_never_later_than_the_truth_and_keys_have_the_instant(company: Company):
    end = datetime.combine(TODAY, datetime.min.time(), UTC)
    told = dict(
        company.ask("select holder_id, last_used_at from license_assignments where last_used_precision = 'second'")
    )
    assert told
    for key, instant in told.items():
        assert instant == company.organization.last_use_of_key(key, end + timedelta(hours=15))


def test_who_used_nothing_is_never_seen_where_a_source_sees_everything(company: Company):
    used: set[str] = set()
    for n in range(90):
        for use in company.organization.usage(LAST - timedelta(days=n)):
            used.add(use.api_key_id or use.user_id or "nobody")
    told = dict(company.ask("select holder_id, last_used_state from license_assignments where holder_type <> 'invite'"))
    keys = {key.id for key in company.truth(LAST).api_keys}
    assert {key for key in keys if told[key] == "used"} >= keys & used
    assert {told[key] for key in keys} == {"used", "never_seen"}
    # The older reports miss some of what people do, so their silence about them is no evidence.
    newer = company.manifest(LAST)["lists"]["analytics_usage"]["state"] == "complete"
    assert {told[one] for one in told.keys() - keys} == {"used", "never_seen" if newer else "not_seen"}


def test_the_peers_view_counts_agree_from_the_manifest_to_the_warehouse(company: Company):
    for day in (*DAYS, TODAY):
        lists = company.manifest(day)["lists"]
        table = ds.dataset(company.data / "snapshots/license_assignments", partitioning="hive").to_table()
        frame = table.to_pandas()
        of_day = frame[frame["snapshot_date"].astype(str) == str(day)]
        counts = of_day["holder_type"].value_counts()
        (log,) = company.ask(
            f"select users, api_keys, invites, is_final, provenance from snapshot_log where snapshot_date = '{day}'"
        )
        assert (counts["user"], counts["api_key"]) == (lists["users"]["rows"], lists["api_keys"]["rows"]) == log[:2]
        assert counts["invite"] == log[2] <= lists["invites"]["rows"]
        assert log[3:] == (day != TODAY, "observed")
    assert company.ask("select holder_type, count(*) from license_assignments group by all order by all") == sorted(
        counts.items()
    ), "the warehouse's license_assignments are the latest day's"


def test_the_warehouse_names_every_snapshot_and_its_run(company: Company):
    days = company.ask("select snapshot_date, organization_id, run_id is not null from snapshot_log order by all")
    assert days == [(day, company.organization.id, True) for day in (*DAYS, TODAY)]


def test_the_first_night_looked_back_ninety_days_and_the_next_ones_four(company: Company):
    name = (
        "analytics_usage"
        if company.manifest(LAST)["lists"]["analytics_usage"]["state"] == "complete"
        else "claude_code"
    )
    spans = [company.manifest(day)["lists"][name] for day in (*DAYS, TODAY)]
    assert [(one["covers_from"], one["covers_to"]) for one in spans] == [
        ("2026-03-04", "2026-06-01"),
        ("2026-05-30", "2026-06-02"),
        ("2026-05-31", "2026-06-03"),
    ]


def test_pandas_reads_the_folder_as_it_is(company: Company):
    frame = pd.read_parquet(company.data / "snapshots" / "license_assignments")
    assert set(frame["snapshot_date"].astype(str)) == {str(day) for day in (*DAYS, TODAY)}
    assert set(frame["organization_id"].astype(str)) == {company.organization.id}


def test_nothing_lies_about_but_what_the_design_names(company: Company):
    names = {path.name for path in company.data.iterdir() if not path.name.startswith(".")}
    kept = {"landing", "snapshots", "usage", "superseded", "mappings"}
    assert names <= {*kept, "warehouse.duckdb", "dagster", "staging"}
    assert not [*(company.data / "staging").glob("*")]
    left_over = {path.name for path in company.data.rglob(".*") if "dagster" not in path.parts}
    assert left_over == {".writer.lock", ".night.lock"}


def test_the_runs_stand_in_dagsters_instance_with_their_days_and_counts(
    company: Company, monkeypatch: pytest.MonkeyPatch
):
    import dagster as dg

    monkeypatch.setenv("DAGSTER_HOME", str(company.data / "dagster"))
    with dg.DagsterInstance.from_config(str(company.data / "dagster")) as instance:
        runs = instance.get_runs()
        assert [run.status for run in runs] == [dg.DagsterRunStatus.SUCCESS] * 3
        assert {run.tags["dagster/partition"] for run in runs} == {str(day) for day in (*DAYS, TODAY)}
        records = instance.get_records_for_run(
            runs[0].run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ).records
        checks = {one.event_log_entry.dagster_event.event_specific_data.check_name for one in records}
        assert {
            "every_organization_is_complete",
            "one_row_per_holder",
            "drop_guard",
            "every_role_is_mapped",
            "every_organization_is_fresh",
        } <= checks
        told = instance.get_latest_materialization_event(dg.AssetKey(["claude_licenses", "license_assignments"]))
        assert told is not None
        assert not instance.telemetry_enabled


@pytest.fixture(scope="module")
def again(
    tmp_path_factory: pytest.TempPathFactory, home: Path
) -> Iterator[tuple[dict[str, bytes], dict[str, bytes], Finished]]:
    """A closing night, and once more three hours later, without naming it: the files before and after."""
    clock = Clock(datetime(2026, 6, 1, tzinfo=UTC))
    app = create_app(Organization("nights", 45, 20), clock=clock.now, options=Options(page_cap=25))

    def files() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for part in ("snapshots", "usage", "landing")
            for path in (made.data / part).rglob("*")
            if path.is_file()
        }

    with serving(app) as url:
        made = Company(tmp_path_factory.mktemp("again"), url, clock, home=home)
        assert made.night(LAST).status == 0
        before = files()
        now = datetime(2026, 6, 3, 5, tzinfo=UTC)
        clock.set(now)
        finished = made("snapshot", "--again", LICENSES_NOW=now.isoformat())
        yield before, files(), finished


def test_the_same_night_again_leaves_every_file_as_it_was(
    again: tuple[dict[str, bytes], dict[str, bytes], Finished],
):
    before, after, finished = again
    assert finished.status == 0, finished.err
    assert "closing snapshot of 2026-06-02" in finished.out
    added = {name for name in after if name not in before}
    assert {name: data for name, data in after.items() if name not in added} == before
    assert all("/landing/" in name for name in added)
