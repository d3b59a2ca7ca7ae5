"""Running a job in this process, on the shared instance, and what it has to say in sentences."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from assets.errors import LicenseHistoryError
from assets.orchestration.names import Names
from assets.orchestration.steps import ASSIGNMENTS, OBSERVATION, WAREHOUSE
from pipelines.installation.instance import RunLogFailed, instance, storage_failed
from pipelines.jobs import BACKFILL, NIGHTLY
from pipelines.signals import ended_by

if TYPE_CHECKING:
    import dagster as dg

    from assets.snapshots.imported.kept import Kept
    from assets.snapshots.past.plan import Wish
    from pipelines.settings import Settings

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
LOCATION = "license-history"
_OF_THE_JOBS_PAGE = {".dagster/repository": f"__repository__@{LOCATION}", "dagster/code_location": LOCATION}
"""With these tags a run stands on its job's own page in the UI."""


@dataclass(frozen=True)
class Outcome:
    """What became of a run; `failures` are sentences, `debug` the tracebacks behind them."""

    run_id: str
    success: bool
    published: bool
    failures: list[str] = field(default_factory=list)
    debug: list[str] = field(default_factory=list)


def run_night(
    settings: "Settings", day: date, *, accept_drop: bool = False, again: bool = False, **changed: Any
) -> Outcome:
    """Observe, derive and publish one day, as the schedule would; `again` asks for what is there already, too."""
    import dagster as dg

    from pipelines.definitions import build

    definitions = build(settings, **changed)
    config = {ASSIGNMENTS: {"accept_drop": accept_drop}} | ({OBSERVATION: {"again": True}} if again else {})
    failed = []
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(at_hand(settings))
        except RunLogFailed as error:
            # Tomorrow nobody can ask for this day any more: the night is worth more than its log.
            opened, failed = stack.enter_context(dg.DagsterInstance.ephemeral()), [str(error)]
        day_key, run_config = day.isoformat(), of_steps(settings.names, config)
        outcome = run(definitions, opened, settings, NIGHTLY, partition_key=day_key, run_config=run_config)
    return replace(outcome, success=outcome.success and not failed, failures=[*outcome.failures, *failed])


def run_backfill(
    settings: "Settings", first: date, last: date, wish: "Wish", reason: str | None, *, accept_drop: bool = False
) -> Outcome:
    """Fill the days from `first` to `last` in one run, as Dagster's own backfill page would."""
    from pipelines.definitions import build

    options = {
        "accept_drop": accept_drop,
        "source": wish.source.name if wish.source else None,
        "replace": wish.replace,
        "reason": reason or "",
    }
    with at_hand(settings) as opened:
        return run(
            build(settings),
            opened,
            settings,
            BACKFILL,
            run_config=of_steps(settings.names, {ASSIGNMENTS: options}),
            tags=days_as_tags(first, last),
        )


def run_import(settings: "Settings", kept: "Kept", *, replace: bool, reason: str | None) -> Outcome:
    """Make a kept file the snapshot of its day, in the run that its manifest names."""
    from pipelines.definitions import build

    options = {"imported": kept.place, "replace": replace, "reason": reason or ""}
    with at_hand(settings) as opened:
        return run(
            build(settings),
            opened,
            settings,
            BACKFILL,
            partition_key=kept.manifest.day.isoformat(),
            run_config=of_steps(settings.names, {ASSIGNMENTS: options}),
            run_id=kept.target.run_id,
        )


@contextmanager
def at_hand(settings: "Settings") -> "Iterator[dg.DagsterInstance]":
    """The instance, without runs that only look as if they were at work; Dagster's own failures are sentences."""
    import dagster as dg
    from dagster_shared.check import CheckError
    from sqlalchemy.exc import SQLAlchemyError

    from pipelines.running import end_dead_runs

    with instance(settings.data) as opened:
        try:
            end_dead_runs(opened, settings.data)
            yield opened
        except SQLAlchemyError as error:
            raise storage_failed(settings.data, error) from error
        except (dg.DagsterError, CheckError) as error:
            raise LicenseHistoryError(
                f"Dagster could not run it ({' '.join(str(error).split())}). What was published before stands; "
                "licenses --debug shows where it happened."
            ) from error


def of_steps(names: Names, config: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Dagster's run config from the steps' own."""
    return {"ops": {names.step(step): {"config": dict(options)} for step, options in config.items()}}


def days_as_tags(first: date, last: date) -> dict[str, str]:
    """The tags by which one run covers several days."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


def run(
    definitions: "dg.Definitions",
    opened: "dg.DagsterInstance",
    settings: "Settings",
    job: str,
    *,
    partition_key: str | None = None,
    run_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    run_id: str | None = None,
    warehouse: bool = True,
) -> Outcome:
    """Execute a job (NIGHTLY or BACKFILL) without noise; its events go to the instance, where the UI shows them.

    Without the `warehouse` it ends when the days are published: a later run builds it from all of them.

    Raises:
        KeyboardInterrupt: a signal ended it.
    """
    from pipelines.running import at_work

    definition = definitions.resolve_job_def(settings.names.name(job))
    run_id = run_id or str(uuid4())
    # Before Dagster knows of it: a run that it knows of and that holds no lock is dead.
    with at_work(settings.data, run_id), _interrupted_as_by_python():
        result = (definition if warehouse else _up_to_the_days(definition, settings.names)).execute_in_process(
            instance=opened,
            partition_key=partition_key,
            run_id=run_id,
            run_config={**QUIET, **(run_config or {})},
            tags={**_OF_THE_JOBS_PAGE, **(tags or {})},
            raise_on_error=False,
        )
    if not result.success and ended_by():
        raise KeyboardInterrupt  # what the steps have to say is only how they noticed
    failures, debug = _failures(result)
    materialized = {event.asset_key for event in result.get_asset_materialization_events()}
    return Outcome(result.run_id, result.success, settings.names.key(WAREHOUSE) in materialized, failures, debug)


@contextmanager
def _interrupted_as_by_python() -> Iterator[None]:
    from dagster._core.errors import DagsterExecutionInterruptedError

    try:
        yield
    except DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None


def _up_to_the_days(job: "dg.JobDefinition", names: Names) -> "dg.JobDefinition":
    days = {names.key(OBSERVATION), names.key(ASSIGNMENTS)}
    graph = job.asset_layer.asset_graph
    return job.get_subset(
        asset_selection=frozenset(days & graph.executable_asset_keys),
        asset_check_selection=frozenset(key for key in graph.asset_check_keys if key.asset_key in days),
    )


def _failures(result: "dg.ExecuteInProcessResult") -> tuple[list[str], list[str]]:
    failed = [event for event in result.all_events if event.is_step_failure]
    sentences = sentences_of(failed)
    debug = [event.step_failure_data.error.to_string() for event in failed if event.step_failure_data.error]
    if not result.success and not sentences:
        sentences.append("The run failed without saying why; its log is in Dagster's UI (make ui).")
    return sentences, debug


def sentences_of(failures: "Iterable[dg.DagsterEvent]") -> list[str]:
    """What the steps that failed have to say, each sentence once."""
    sentences: list[str] = []
    for event in failures:
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            sentences += data.user_failure_data.description.splitlines()
        elif data.error:
            error = data.error
            while error.cause:
                error = error.cause
            sentences.append(f"{event.step_key} failed: {' '.join(error.message.split())} (--debug shows where)")
    return list(dict.fromkeys(sentences))
