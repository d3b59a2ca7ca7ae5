"""A Dagster deployment of ours in this process: its users launch what they like, by Dagster's own GraphQL, daemon and
command line; then its grid is held against the files.

Runs are executed in this process, one after the other. Everything else is as on a server: the
definitions are found by their module, with the environment's settings, and events lie in the instance's database.
"""

import json
import logging
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.execution.api import execute_run
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.backfill import execute_backfill_iteration
from dagster._utils.hosted_user_process import recon_job_from_origin
from dagster_graphql.client.query import (
    LAUNCH_PARTITION_BACKFILL_MUTATION,
    LAUNCH_PIPELINE_EXECUTION_MUTATION,
    LAUNCH_PIPELINE_REEXECUTION_MUTATION,
)
from dagster_graphql.test.utils import execute_dagster_graphql

from assets.layout import DataDirectory
from assets.snapshots.snapshot import read_facts
from assets.spans import days_between
from pipelines import settings
from pipelines.definitions import build
from pipelines.execution import days_as_tags, sentences_of
from pipelines.installation.instance import instance
from tests.commandline import Finished, environment_restored, licenses
from tests.scripted import DAY, KEY, ScriptedApi, activity, user

LOCATION = "license-history"
OBSERVATION, ASSIGNMENTS, WAREHOUSE = ALL = ("observation", "license_assignments", "warehouse")
FEED_FROM = DAY - timedelta(days=4)
"""The first day of which the scripted feed proves something."""

HERE = """
telemetry: {enabled: false}
nux: {enabled: false}
run_launcher: {module: dagster._core.test_utils, class: MockedRunLauncher}
run_coordinator: {module: dagster._core.run_coordinator.default_run_coordinator, class: DefaultRunCoordinator}
"""
GRID = """
query ($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) {
    ... on AssetNode { assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } } }
  }
}
"""
SYNC = """
query ($key: AssetKeyInput!, $days: [String!]) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { staleStatusByPartition(partitions: $days) } }
}
"""


def key(asset: str) -> dg.AssetKey:
    return dg.AssetKey(["claude_licenses", *asset.split("/")])


def company(number: int = 3) -> ScriptedApi:
    """An organization of members with an Activity Feed that has an entry for every day from `FEED_FROM` on."""
    entries = [
        activity(place, f"{FEED_FROM + timedelta(days=place - 1)}T09:00:00Z", "claude_chat_created")
        for place in range(30, 0, -1)
    ]
    return ScriptedApi(users=[user(one) for one in range(1, number + 1)], activities=entries)


@dataclass
class Deployment:
    """One data directory and one instance."""

    root: Path
    environment: dict[str, str]
    opened: dg.DagsterInstance
    _workspace: list[WorkspaceProcessContext] = field(default_factory=list)

    @property
    def data(self) -> DataDirectory:
        return DataDirectory(self.root)

    def at(self, now: datetime) -> None:
        """It is `now`, wherever a run asks."""
        os.environ["LICENSES_NOW"] = self.environment["LICENSES_NOW"] = now.isoformat()
        self.reload()

    def night(self, day: date) -> None:
        """The night after `day`, at 02:00 UTC."""
        self.at(datetime(day.year, day.month, day.day, 2, tzinfo=UTC) + timedelta(days=1))

    # What its users do.

    def launch(
        self, assets: Sequence[str], first: date, last: date | None = None, *, step: str = "", **config: Any
    ) -> dg.DagsterRun:
        """ "Materialize" in the UI: a day, or a range as a single run; `config` is that of `step`."""
        tags = days_as_tags(first, last) if last else {"dagster/partition": first.isoformat()}
        run_config = {"ops": {f"claude_licenses__{step}": {"config": config}}} if step else {}
        return self._launch({"pipelineName": "__ASSET_JOB", "assetSelection": _paths(assets)}, tags, run_config)

    def tick(self, schedule: str) -> dg.DagsterRun | str:
        """What Dagster's daemon does at a tick of a schedule of ours; the run, or why there is none."""
        definitions, now = build(settings.load()), settings.load().now
        context = dg.build_schedule_context(
            instance=self.opened, scheduled_execution_time=now, repository_def=definitions.get_repository_def()
        )
        found = definitions.resolve_schedule_def(f"claude_licenses_{schedule}")
        tick = found.evaluate_tick(context)
        if not tick.run_requests:
            return tick.skip_message or ""
        (request,) = tick.run_requests
        return self._launch({"pipelineName": found.job_name}, request.tags, request.run_config)

    def _launch(
        self, selected: Mapping[str, Any], tags: Mapping[str, str], run_config: Mapping[str, Any]
    ) -> dg.DagsterRun:
        answer = self._ask(
            LAUNCH_PIPELINE_EXECUTION_MUTATION,
            executionParams={
                "selector": {"repositoryLocationName": LOCATION, "repositoryName": "__repository__", **selected},
                "runConfigData": run_config,
                "executionMetadata": {"tags": [{"key": name, "value": value} for name, value in tags.items()]},
            },
        )["launchPipelineExecution"]
        return self._executed(answer)

    def again_from_failure(self, run: dg.DagsterRun) -> dg.DagsterRun:
        """ "Re-execute from failure" in the UI."""
        answer = self._ask(
            LAUNCH_PIPELINE_REEXECUTION_MUTATION,
            reexecutionParams={"parentRunId": run.run_id, "strategy": "FROM_FAILURE"},
        )["launchPipelineReexecution"]
        return self._executed(answer)

    def backfill(self, assets: Sequence[str], days: Sequence[date]) -> PartitionBackfill:
        """ "Materialize all" in the UI: Dagster's daemon launches the runs that it thinks right, until all are done."""
        answer = self._ask(
            LAUNCH_PARTITION_BACKFILL_MUTATION,
            backfillParams={
                "assetSelection": _paths(assets),
                "partitionNames": [day.isoformat() for day in days],
            },
        )["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        for _ in range(50):
            errors = [one for one in execute_backfill_iteration(self._process, logging.getLogger("daemon")) if one]
            assert not errors, errors
            self._execute()
            found = self.opened.get_backfill(answer["backfillId"])
            assert found
            if found.status.value != "REQUESTED":
                return found
        raise AssertionError("the backfill never ends")

    def licenses(self, *words: str, **environment: str) -> Finished:
        return licenses(*words, environment=self.environment | environment, folder=self.root.parent)

    # What it shows.

    def grid(self, asset: str = ASSIGNMENTS) -> dict[date, str]:
        """Each day's colour, as the UI asks for it; none for one that is grey."""
        node = self._ask(GRID, key=_path(asset))["assetNodeOrError"]
        return {
            day: span["status"]
            for span in node["assetPartitionStatuses"].get("ranges", [])
            for day in days_between(date.fromisoformat(span["startKey"]), date.fromisoformat(span["endKey"]))
        }

    def green(self, asset: str = ASSIGNMENTS) -> list[date]:
        return sorted(day for day, colour in self.grid(asset).items() if colour == "MATERIALIZED")

    def believed(self, asset: str = ASSIGNMENTS) -> list[date]:
        """What Dagster starts others' downstream assets on."""
        return sorted(map(date.fromisoformat, self.opened.get_materialized_partitions(key(asset))))

    def told(self, asset: str = ASSIGNMENTS) -> dict[date, Mapping[str, Any]]:
        """The newest materialization of each day: what it says."""
        found: dict[date, Mapping[str, Any]] = {}
        for day, metadata in self.all_told(asset):
            found.setdefault(day, metadata)
        return found

    def all_told(self, asset: str = ASSIGNMENTS) -> list[tuple[date, Mapping[str, Any]]]:
        """Every materialization that there ever was, newest first."""
        records = self.opened.fetch_materializations(key(asset), limit=1000).records
        return [_metadata(one.asset_materialization) for one in records]

    def in_sync(self, days: Sequence[date], asset: str = ASSIGNMENTS) -> list[str]:
        """What the UI says of each day: FRESH, STALE (it shows "Unsynced") or MISSING."""
        told = self._ask(SYNC, key=_path(asset), days=[day.isoformat() for day in days])
        return list(told["assetNodeOrError"]["staleStatusByPartition"])

    def versions(self, asset: str = ASSIGNMENTS) -> dict[date, str]:
        """Each day's data version, by which others tell whether they have to run again."""
        records = self.opened.fetch_materializations(key(asset), limit=1000).records
        told: list[Any] = [one.asset_materialization for one in reversed(records)]
        return {date.fromisoformat(one.partition): one.tags["dagster/data_version"] for one in told}

    def provisional(self, asset: str = ASSIGNMENTS) -> dict[date, Mapping[str, Any]]:
        """What observations of days say, which are green by no means."""
        records = self.opened.fetch_observations(key(asset), limit=1000).records
        return dict(_metadata(one.asset_observation) for one in reversed(records))

    def sentences(self, run: dg.DagsterRun) -> str:
        """What its steps had to say at their end."""
        failed = self.opened.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
        return "\n".join(sentences_of([one.event_log_entry.get_dagster_event() for one in failed]))

    # What is there.

    def files(self) -> dict[date, dict[str, int]]:
        """Of each day that has a closing snapshot, the rows of each organization's file."""
        found: dict[date, dict[str, int]] = {}
        for path in self.root.glob("snapshots/license_assignments/snapshot_date=*/organization_id=*/part.parquet"):
            facts = read_facts(path)
            if facts and facts.is_final:
                found.setdefault(facts.snapshot_date, {})[facts.organization_id] = _rows(path)
        return found

    def landed(self) -> dict[date, dict[str, int]]:
        """Of each day that was observed when it was over, the rows that each organization's newest answers hold."""
        found: dict[date, dict[str, int]] = {}
        for path in sorted(self.root.glob("landing/*/????-??-??/*/manifest.json")):
            told = json.loads(path.read_text())
            day, lists = date.fromisoformat(told["day"]), told["lists"].values()
            if told["complete"] and told["observed_at"][:10] > told["day"]:
                rows = sum(one["rows"] for one in lists if one["state"] == "complete")
                found.setdefault(day, {})[told["organization_id"]] = rows
        return found

    def shown(self) -> dict[date, int]:
        """The seats of each day, as analysts read them out of the warehouse."""
        import duckdb

        with duckdb.connect(str(self.data.warehouse), read_only=True) as connection:
            rows = connection.sql("select snapshot_date, count(*) from license_snapshots group by all").fetchall()
        return dict(rows)

    def reload(self) -> None:
        """Load the definitions anew, as a code server that is started again."""
        while self._workspace:
            self._workspace.pop().__exit__(None, None, None)
        ReconstructableJob.get_definition.cache_clear()
        ReconstructableJob.get_repository_definition.cache_clear()

    @property
    def _process(self) -> WorkspaceProcessContext:
        if not self._workspace:
            target = LoadableTargetOrigin(executable_path=sys.executable, module_name="pipelines.definitions")
            origin = InProcessCodeLocationOrigin(target, location_name=LOCATION)
            self._workspace.append(
                WorkspaceProcessContext(self.opened, InProcessWorkspaceLoadTarget([origin])).__enter__()
            )
        return self._workspace[0]

    def _ask(self, query: str, **variables: Any) -> Mapping[str, Any]:
        return execute_dagster_graphql(self._process.create_request_context(), query, variables=variables).data

    def _executed(self, answer: Mapping[str, Any]) -> dg.DagsterRun:
        assert answer["__typename"] == "LaunchRunSuccess", answer
        self._execute()
        found = self.opened.get_run_by_id(answer["run"]["runId"])
        assert found
        return found

    def _execute(self) -> None:
        """What has been launched."""
        launched = self.opened.run_launcher.queue()  # type: ignore[attr-defined]
        while launched:
            run = launched.pop(0)
            execute_run(recon_job_from_origin(run.job_code_origin), run, self.opened)


@contextmanager
def deployed(root: Path, home: Path, url: str, **environment: str) -> Iterator[Deployment]:
    """A deployment whose instance is a copy of the fresh one in `home`."""
    data = DataDirectory(root)
    if not data.dagster_home.exists():
        shutil.copytree(home, data.dagster_home)
    (data.dagster_home / "dagster.yaml").write_text(HERE)
    said = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_ADMIN_KEY": KEY,
        "LICENSES_DATA_DIR": str(root),
        "LICENSES_FIRST_DAY": "2026-05-01",
    } | environment
    with environment_restored(), instance(data) as opened:
        os.environ |= said
        made = Deployment(root, said, opened)
        made.night(DAY)
        try:
            yield made
        finally:
            made.reload()


def _paths(assets: Sequence[str]) -> list[dict[str, list[str]]]:
    return [_path(one) for one in assets]


def _path(asset: str) -> dict[str, list[str]]:
    return {"path": list(key(asset).path)}


def _metadata(event: Any) -> tuple[date, Mapping[str, Any]]:
    return date.fromisoformat(event.partition), {name: value.value for name, value in event.metadata.items()}


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)
