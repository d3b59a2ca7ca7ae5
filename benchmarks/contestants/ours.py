"""The pipeline as its Dagster assets call it: observe, derive, publish."""

import logging
import sys
from datetime import date, timedelta
from pathlib import Path

from assets.days import end_of
from assets.extraction.api import ANALYTICS_USAGE
from assets.extraction.coverage import covered_to
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


def sync(base_url: str, data: DataDirectory, day: date, watch: Stopwatch) -> int:
    """One night; how many rows it read. In an empty folder usage counts as known up to the day before."""
    staged = data.staging("benchmark")
    with watch.step("observe"), opened([KEY], base_url) as (accesses, _):
        known = covered_to(data, accesses[0].organization.id, day)
        observation = observe(
            accesses[0],
            day,
            data=data,
            observed_at=end_of(day) + timedelta(hours=2),
            run_id="benchmark",
            covered_to=known or {ANALYTICS_USAGE.name: day - timedelta(days=1)},
        )
    with watch.step("derive"):
        derive(observation, data, staged, DropGuard(), Loading(observation.manifest.observed_at, "benchmark"))
    with watch.step("publish"):
        publish(SUBJECTS, data, staged, observation.manifest.observed_at)
    return sum(outcome.rows for outcome in observation.manifest.lists.values())


def main() -> None:
    base_url, folder, day = sys.argv[1:]
    logging.disable()
    watch = Stopwatch()
    watch.tell(sync(base_url, DataDirectory(Path(folder)), date.fromisoformat(day), watch))


if __name__ == "__main__":
    main()
