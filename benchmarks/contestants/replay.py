"""The newest landings derived again in one run, as a backfill does that replays them; or what lands them first.

`python -m benchmarks.contestants.replay land <url> <folder> <day> <number>`, then
`… derive <folder> <day> <number>`.
"""

import logging
import sys
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from assets.days import TRAILING_DAYS
from assets.extraction.landing import Observation, newest_observation
from assets.layout import DataDirectory, organization_folders
from assets.resources import DropGuard
from assets.snapshots.ending import Loading
from assets.snapshots.observed.derive import derive
from benchmarks.contestants.ours import land
from benchmarks.measuring import Stopwatch


def days_up_to(last: str, number: str) -> list[date]:
    """So many days, oldest first."""
    return [date.fromisoformat(last) - timedelta(days=ago) for ago in reversed(range(int(number)))]


def observations(data: DataDirectory, days: list[date]) -> list[Observation]:
    """What was landed for each of the days."""
    (organization,) = organization_folders(data.landings)
    found = [newest_observation(data, organization.name, day) for day in days]
    assert None not in found, f"not all of {days} have landed"
    return [one for one in found if one]


def main() -> None:
    logging.disable()
    watch = Stopwatch()
    match sys.argv[1:]:
        case ["land", base_url, folder, last, number]:
            with watch.step("land"):
                for day in days_up_to(last, number):
                    land(base_url, DataDirectory(Path(folder)), day, TRAILING_DAYS)
        case ["derive", folder, last, number]:
            data = DataDirectory(Path(folder))
            with TemporaryDirectory(dir=folder) as staged, watch.step("derive"):
                for one in observations(data, days_up_to(last, number)):
                    loading = Loading(one.manifest.observed_at, "benchmark", "replayed")
                    derive(one, data, DataDirectory(Path(staged)), DropGuard(), loading)
    watch.tell()


if __name__ == "__main__":
    main()
