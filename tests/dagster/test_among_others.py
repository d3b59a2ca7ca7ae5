"""Ours beside a neighbour's definitions that bear the plainest names, and what the launchpad offers of ours."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines import settings as settings_module
from pipelines.definitions import build
from sandbox import serving
from tests.commandline import Operator, environment_restored
from tests.scripted import DAY, KEY, ScriptedApi, as_app, user

pytestmark = pytest.mark.slow

NIGHT = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(hours=26)
PLAIN = ("observation", "warehouse", "license_assignments", "finance_report")

Made = Callable[..., dg.Definitions]


@pytest.fixture
def opened() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Made]:
    """Our definitions under the settings given; the environment stays until the test has run them."""

    def made(**environment: str) -> dg.Definitions:
        os.environ |= {
            "ANTHROPIC_ADMIN_KEY": KEY,
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:1",
            "LICENSES_DATA_DIR": str(tmp_path / "data"),
            "LICENSES_NOW": NIGHT.isoformat(),
        } | environment
        return build(settings_module.load())

    with environment_restored():
        yield made


def neighbour() -> dg.Definitions:
    def asset(name: str) -> dg.AssetsDefinition:
        @dg.asset(name=name, group_name="neighbour", required_resource_keys={"api", "data", "clock", "guard"})
        def made() -> None: ...

        return made

    assets = [asset(name) for name in PLAIN]
    jobs = [dg.define_asset_job(name, selection=assets) for name in ("nightly", "backfill", "monthly_report")]
    names = ("nightly_at_two", "fill_gaps", "report_on_the_third")
    return dg.Definitions(
        assets=assets,
        jobs=jobs,
        schedules=[dg.ScheduleDefinition(job=jobs[0], cron_schedule="0 2 * * *", name=name) for name in names],
        resources={name: dg.ResourceDefinition.none_resource() for name in ("api", "data", "clock", "guard")},
    )


def test_a_neighbour_with_the_plainest_names_is_loaded_beside_ours_and_both_run(ours: Made, opened: dg.DagsterInstance):
    with serving(as_app(ScriptedApi(users=[user(1)]))) as url:
        merged = dg.Definitions.merge(ours(ANTHROPIC_BASE_URL=url), neighbour())
        dg.Definitions.validate_loadable(merged)
        theirs = merged.resolve_job_def("nightly").execute_in_process(instance=opened)
        night = merged.resolve_job_def("claude_licenses_nightly").execute_in_process(
            instance=opened, partition_key=str(DAY)
        )
    assert theirs.success
    assert night.success
    assert opened.get_materialized_partitions(dg.AssetKey(["claude_licenses", "license_assignments"])) == {str(DAY)}
    assert opened.get_materialized_partitions(dg.AssetKey("license_assignments")) == set()


def everything(made: dg.Definitions) -> set[str]:
    """Every name by which something could clash with a neighbour's."""
    repository = made.get_repository_def()
    return {
        *(spec.key.to_user_string() for spec in made.resolve_all_asset_specs()),
        *(step.name for step in repository.get_all_jobs() if not step.name.startswith("__")),
        *(schedule.name for schedule in repository.schedule_defs),
        *(sensor.name for sensor in repository.sensor_defs),
        *repository.get_top_level_resources(),
        *(node.name for job in repository.get_all_jobs() for node in job.all_node_defs if job.name == "__ASSET_JOB"),
        *(pool for asset in made.assets or [] for pool in getattr(getattr(asset, "op", None), "pools", ())),
        *(str(spec.group_name) for spec in made.resolve_all_asset_specs()),
    }


def test_no_name_of_ours_is_without_the_prefix_and_all_follow_the_settings(ours: Made):
    assert {name for name in everything(ours()) if not name.startswith("claude_licenses")} == set()
    other = ours(LICENSES_DAGSTER_PREFIX="seats", LICENSES_DAGSTER_GROUP="seats_group", LICENSES_AUTOMATION="on")
    assert {name for name in everything(other) if not name.startswith("seats")} == set()


def test_group_and_owners_are_those_of_the_settings(ours: Made):
    made = ours(LICENSES_DAGSTER_GROUP="people_ops", LICENSES_DAGSTER_OWNERS="ops@acme.example, team:finance")
    specs = [spec for spec in made.resolve_all_asset_specs() if spec.key.path[0] == "claude_licenses"]
    assert {spec.group_name for spec in specs} == {"people_ops"}
    assert {tuple(spec.owners) for spec in specs} == {("ops@acme.example", "team:finance")}


def test_two_of_ours_stand_beside_each_other_each_with_its_own_record(
    ours: Made, opened: dg.DagsterInstance, tmp_path: Path
):
    with serving(as_app(ScriptedApi(users=[user(1)]))) as url:
        first = ours(ANTHROPIC_BASE_URL=url)
        elsewhere = {"LICENSES_DAGSTER_PREFIX": "subsidiary", "LICENSES_DATA_DIR": str(tmp_path / "subsidiary")}
        merged = dg.Definitions.merge(first, ours(ANTHROPIC_BASE_URL=url, **elsewhere))
        for name in ("claude_licenses_nightly", "subsidiary_nightly"):
            assert merged.resolve_job_def(name).execute_in_process(instance=opened, partition_key=str(DAY)).success
    assert (tmp_path / "data" / "warehouse.duckdb").exists()
    assert (tmp_path / "subsidiary" / "warehouse.duckdb").exists()


WITH_CONFIG = ("claude_licenses_nightly", "claude_licenses_backfill", "__ASSET_JOB")


def jobs(made: dg.Definitions) -> list[dg.JobDefinition]:
    return [*made.get_repository_def().get_all_jobs(), made.resolve_implicit_global_asset_job_def()]


def test_the_launchpad_offers_nothing_of_clock_address_keys_or_path(ours: Made):
    for job in jobs(ours()):
        offered = words_of(job.run_config_schema.config_type)
        assert offered.isdisjoint({"fixed", "clock", "base_url", "api", "key_envs", "path", "data", "guard"}), job.name
        assert job.name not in WITH_CONFIG or "accept_drop" in offered


def words_of(kind: Any, seen: set[str] | None = None) -> set[str]:
    """Every field that a run's config can have, however deep; Dagster's own loggers and executors left out."""
    seen = set() if seen is None else seen
    for name, field in getattr(kind, "fields", {}).items():
        if name not in ("loggers", "execution"):
            seen.add(name)
            words_of(field.config_type, seen)
    return seen


@pytest.mark.parametrize("part", ["clock", "data", "api"])
def test_what_is_said_of_the_resource_in_a_launchpad_is_refused(ours: Made, opened: dg.DagsterInstance, part: str):
    job = ours().resolve_job_def("claude_licenses_nightly")
    for config in (
        {"resources": {"claude_licenses": {"config": {"fixed": "2026-06-01T02:00:00Z"}}}},
        {"resources": {part: {"config": {"fixed": "2026-06-01T02:00:00Z"}}}},
    ):
        with pytest.raises(dg.DagsterInvalidConfigError, match="Received unexpected config entr"):
            job.execute_in_process(instance=opened, partition_key=str(DAY), run_config=config)


def test_an_unknown_source_is_refused_by_the_enum_before_anything_runs(ours: Made, opened: dg.DagsterInstance):
    job = ours().resolve_job_def("claude_licenses_backfill")
    config = {"ops": {"claude_licenses__license_assignments": {"config": {"source": "REPLAYED"}}}}
    with pytest.raises(dg.DagsterInvalidConfigError, match="not in enum type Source got REPLAYED"):
        job.execute_in_process(instance=opened, partition_key=str(DAY), run_config=config)
    assert opened.get_runs() == []


@pytest.mark.parametrize("name", ["claude_licenses_nightly", "claude_licenses_backfill"])
def test_a_job_without_its_partition_is_one_sentence(ours: Made, opened: dg.DagsterInstance, name: str):
    from pipelines.execution import sentences_of

    ended = ours().resolve_job_def(name).execute_in_process(instance=opened, raise_on_error=False)
    assert not ended.success
    (sentence,) = sentences_of([event for event in ended.all_events if event.is_step_failure])
    assert sentence.startswith("The run is for no day: ")


@pytest.mark.parametrize("switch", ["off", "on"])
def test_schedules_and_sensor_wait_until_somebody_starts_them(ours: Made, switch: str):
    repository = ours(LICENSES_SCHEDULES=switch).get_repository_def()
    automated: list[Any] = [*repository.schedule_defs, *repository.sensor_defs]
    started = {one.name: one.default_status.value for one in automated}
    assert started == dict.fromkeys(
        [
            "claude_licenses_nightly_at_two",
            "claude_licenses_fill_gaps",
            "claude_licenses_report_on_the_third",
            "claude_licenses_published_days",
        ],
        "RUNNING" if switch == "on" else "STOPPED",
    )


def test_licenses_ui_starts_them_and_says_so_unless_the_setting_says_otherwise(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
):
    seen: list[str | None] = []

    class Dagster:
        """`dagster dev`, which ends at once."""

        def __init__(self, *_: object, **__: object) -> None:
            seen.append(os.environ.get("LICENSES_SCHEDULES"))

        def __enter__(self) -> "Dagster":
            return self

        def __exit__(self, *_: object) -> None: ...

        def wait(self) -> None: ...

    monkeypatch.setattr("pipelines.cli.ui.subprocess.Popen", Dagster)
    operator = Operator(tmp_path, "http://127.0.0.1:1", home=home)
    assert "claude_licenses_nightly_at_two is on, unless it was stopped in the UI" in operator("ui").out
    assert "claude_licenses_automation is on" in operator("ui", LICENSES_AUTOMATION="on").out
    assert "are not started by this (LICENSES_SCHEDULES is off)" in operator("ui", LICENSES_SCHEDULES="off").out
    assert seen == ["on", "on", "off"]
