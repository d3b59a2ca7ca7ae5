"""What a step of ours tells Dagster: one event for each day that lies there, and what went wrong, at the run's end.

Dagster would call every partition of a run materialized as soon as the step has ended. Ours say it day by day, when
the day is there: so a run that is cancelled leaves green what it has done, and only that.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    NULL_EVENT_POINTER,
    UNKNOWN_DATA_VERSION,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION

from assets.errors import WrongUse
from assets.files.publishing import discard
from assets.layout import DataDirectory
from assets.orchestration.failures import Failure, record, recorded
from assets.orchestration.names import Names
from assets.orchestration.sentences import failure

OBSERVATION, ASSIGNMENTS, WAREHOUSE = ORDER = ("observation", "license_assignments", "warehouse")
"""The steps of a run, each by the asset that it makes."""

DayEvent = dg.AssetMaterialization | dg.AssetObservation


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days that the run is for.

    Raises:
        WrongUse: it is for none.
    """
    if not context.has_partition_key and not context.has_partition_key_range:
        raise WrongUse(
            f"The run is for no day: {context.asset_key.to_user_string()} is made day by day. Launch it with a "
            "partition, as in dg launch --partition 2026-06-01 (in the UI: choose the days). Nothing was asked."
        )
    return [date.fromisoformat(one) for one in context.partition_keys]


def day_event(
    key: dg.AssetKey, day: date, metadata: Mapping[str, Any], *, closed: bool, tags: Mapping[str, str] | None = None
) -> DayEvent:
    """That a day lies there. One that is not over yet is observed and not materialized: whoever waits for the day
    waits for its closing."""
    kind = dg.AssetMaterialization if closed else dg.AssetObservation
    return kind(asset_key=key, partition=day.isoformat(), metadata={"provisional": not closed, **metadata}, tags=tags)


def version_tags(run_id: str, version: str, source: dg.AssetKey, event: int | None) -> dict[str, str]:
    """What Dagster tells by whether a day is in sync: which version of it this is, and after which event of `source`
    it was made, if there is one. Without these, a day that nobody observed would ask for its observation for good."""
    return {
        CODE_VERSION_TAG: run_id,  # as Dagster does for code without a version
        DATA_VERSION_TAG: version,
        get_input_data_version_tag(source): UNKNOWN_DATA_VERSION.value,  # of days, it compares the events
        get_input_event_pointer_tag(source): NULL_EVENT_POINTER if event is None else str(event),
    }


def without_events() -> dg.MaterializeResult[None]:
    """What a step yields for what comes after it to begin: its days have had their events, or are not there."""
    # So Dagster marks outputs whose events the step has told itself (its observable source assets do the same).
    return dg.MaterializeResult(metadata={SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True})


def without_result(key: dg.AssetKey, check: str) -> dg.Output[None]:
    """What a step yields for a check that had nothing to look at: it says nothing, rather than that all is well."""
    return dg.Output(None, output_name=dg.AssetCheckSpec(check, asset=key).get_python_identifier())


def comes_with(context: dg.AssetExecutionContext, names: Names, step: str) -> bool:
    """Whether this run executes a step, too."""
    name = names.step(step)
    chosen = context.run.step_keys_to_execute
    return context.job_def.has_node_named(name) and (chosen is None or name in chosen)


def end(
    context: dg.AssetExecutionContext, names: Names, step: str, staged: DataDirectory, failures: Iterable[Failure]
) -> None:
    """Say what went wrong, where no later step of this run will: what that makes must not wait for it.

    Raises:
        Failure: the sentences, each once.
    """
    record(staged, failures)
    if any(comes_with(context, names, later) for later in ORDER[ORDER.index(step) + 1 :]):
        return
    sentences = [one.sentence for one in recorded(staged)]
    discard(staged)
    if sentences:
        raise failure(sentences)
