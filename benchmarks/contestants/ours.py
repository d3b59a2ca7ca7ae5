"""The pipeline as its Dagster assets call it: observe, derive, publish."""

import logging
import sys
from datetime import date, timedelta
from pathlib import Path

from assets.days import LOOK_BACK_DAYS, end_of
from assets.extraction.api import ANALYTICS_USAGE
from assets.extraction.coverage import covered_to
from assets.extraction.landing import Observation
from assets.extraction.observe import observe
from assets.extraction.organizations import Credential, opened
from assets.layout import DataDirectory
from assets.resources import DropGuard
from assets.snapshots.ending import Loading
from assets.snapshots.observed.derive import derive
from assets.warehouse.publish import publish
from benchmarks.measuring import Stopwatch
from pipelines.subjects import SUBJECTS

KEY = Credential("Benchmark", "BENCHMARK_KEY", "sk-ant-admin01-benchmark")


def land(base_url: str, data: DataDirectory, day: date, days: int) -> Observation:
    """One night's answers with the usage of so many days.

    In an empty folder these are as many as a first night asks for, or usage counts as known up to the day before.
    """
    with opened([KEY], base_url) as (accesses, _):
        usage, organization = ANALYTICS_USAGE.name, accesses[0].organization.id
        known = covered_to(data, organization, day) or {usage: day - timedelta(days=1)}
        observation = observe(
            accesses[0],
            day,
            data=data,
            observed_at=end_of(day) + timedelta(hours=2),
            run_id="benchmark",
            covered_to={} if days == LOOK_BACK_DAYS else known,
        )
    heard = observation.manifest.lists[usage]
    assert heard.covers_from == day - timedelta(days=days - 1), f"usage was asked from {heard.covers_from}: {heard}"
    return observation


def sync(base_url: str, data: DataDirectory, day: date, days: int, watch: Stopwatch) -> int:
    """One night; how many rows it read."""
    staged = data.staging("benchmark")
    with watch.step("observe"):
        observation = land(base_url, data, day, days)
    with watch.step("derive"):
        derive(observation, data, staged, DropGuard(), Loading(observation.manifest.observed_at, "benchmark"))
    with watch.step("publish"):
        publish(SUBJECTS, data, staged, observation.manifest.observed_at)
    return sum(outcome.rows for outcome in observation.manifest.lists.values())


def main() -> None:
    base_url, folder, day, days = sys.argv[1:]
    logging.disable()
    watch = Stopwatch()
    watch.tell(sync(base_url, DataDirectory(Path(folder)), date.fromisoformat(day), int(days), watch))


if __name__ == "__main__":
    main()
