"""What is told though nothing runs: days that lie there and Dagster does not know, days that it shows green and that
are gone, and whether the record is fresh. It asks nobody, and reads the names of files."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.orchestration.steps import ASSIGNMENTS, WAREHOUSE, DayEvent
from assets.resources import Installation
from assets.snapshots.freshness import freshness
from assets.snapshots.green_days import LIES_THERE, green_days
from pipelines.schedule import sensor_status
from pipelines.telling.register import AtWork, Looked, in_words

if TYPE_CHECKING:
    from pipelines.settings import Settings

SENSOR = "published_days"
SECONDS = 300
"""A look takes about two seconds for five years of two organizations."""

MOST_EVENTS = 200
"""In one tick, so that none takes longer than Dagster waits; the next one goes on."""


def published_days_sensor(given: Installation, settings: "Settings") -> dg.SensorDefinition:
    """Every five minutes; stopped until somebody starts it, as the schedules are."""
    names = settings.names

    @dg.sensor(
        name=names.name(SENSOR),
        minimum_interval_seconds=SECONDS,
        default_status=sensor_status(settings),
        description="Tells Dagster of days that lie in the data directory, of those that are gone, and of freshness.",
    )
    def published_days(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        said: dict[str, Any] = json.loads(context.cursor or "{}")
        try:
            looked = Looked.at(context.instance, given, names)
            found = list(islice(looked.untold(context.instance), MOST_EVENTS))
            checks = list(_of_what_stands(context.instance, looked))
            told = _sentences(found, checks)
        except AtWork:
            found, checks = [], [freshness(names.key(ASSIGNMENTS), given)]
            told = "A run is at work: what it publishes, it tells itself."
        changed = [one for one in checks if one and (found or said.get(_name(one)) != _content(one))]
        return dg.SensorResult(
            asset_events=[*found, *map(_evaluation, changed)],
            cursor=json.dumps(said | {_name(one): _content(one) for one in changed}),
            skip_reason=told,
        )

    return published_days


def _of_what_stands(opened: dg.DagsterInstance, looked: Looked) -> Iterator[dg.AssetCheckResult | None]:
    given, names = looked.given, looked.names
    yield freshness(names.key(ASSIGNMENTS), given, looked.there)
    yield freshness(names.key(WAREHOUSE), given, looked.there, shown=looked.shown)
    yield green_days(opened, names.key(ASSIGNMENTS), looked.there)


def _sentences(found: list[DayEvent], checks: list[dg.AssetCheckResult | None]) -> str:
    """What a tick has to say for itself."""
    more = " The next tick goes on." if len(found) == MOST_EVENTS else ""
    told = f"Told of {'; '.join(in_words(found))}.{more}" if found else "Dagster knows all that lies there."
    lost = (one.metadata["lost"].value for one in checks if one and one.check_name == LIES_THERE and not one.passed)
    return " ".join([told, *(f"Green, though not there: {days}." for days in lost)])


def _name(result: dg.AssetCheckResult) -> str:
    return f"{_key(result).to_user_string()}: {result.check_name}"


def _content(result: dg.AssetCheckResult) -> list[Any]:
    """What it says, as the cursor keeps it."""
    return [result.passed, {name: value.value for name, value in sorted(result.metadata.items())}]


def _evaluation(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    assert result.check_name
    return dg.AssetCheckEvaluation(
        asset_key=_key(result),
        check_name=result.check_name,
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
    )


def _key(result: dg.AssetCheckResult) -> dg.AssetKey:
    assert result.asset_key
    return result.asset_key
