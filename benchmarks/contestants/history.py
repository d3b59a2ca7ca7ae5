"""What is done to a data directory with a past in it: hashed, built, copied, one more day published.

`python -m benchmarks.contestants.history <work> <folder>`.
"""

import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path

from assets.days import end_of
from assets.engine import engine
from assets.layout import SNAPSHOTS, USAGE, DataDirectory, day_files
from assets.snapshots import schema
from assets.warehouse.build import build
from assets.warehouse.publish import publish
from benchmarks.measuring import Stopwatch
from pipelines.subjects import SUBJECTS

STAGED = "run"
HASHED = {
    SNAPSHOTS: ([name for name in schema.LICENSE_ASSIGNMENTS.names if name in schema.ATTRIBUTES_TOLD], "snapshot_date"),
    USAGE: (schema.USAGE.names, "observed_day"),
}
"""What the history is made of: the columns in the files, and the day in their paths."""


def hash_rows(data: DataDirectory) -> None:
    """The floor: one hash over the same columns of all rows, of snapshots and of usage."""
    with engine(data.root) as connection:
        for dataset, (columns, day) in HASHED.items():
            files = [str(file.path) for file in day_files(dataset, data)]
            rows = connection.read_parquet(files, hive_partitioning=True)
            rows.aggregate(f"bit_xor(hash({', '.join(columns)}, organization_id, {day}))").fetchall()


def build_all(data: DataDirectory) -> None:
    """All relations, from all files."""
    with engine(data.root) as connection:
        build(connection, SUBJECTS, data, DataDirectory(data.root / "nothing"), data.warehouse)


def copy(data: DataDirectory) -> None:
    """The least that publishing can cost, as the warehouse is a new file each time."""
    place = data.root / "copy.duckdb"
    shutil.copyfile(data.warehouse, place)
    with place.open("rb") as file:
        os.fsync(file.fileno())
    place.unlink()


def publish_staged(data: DataDirectory) -> None:
    """What a night does with one more day: build, check, put in place."""
    staged = data.staging(STAGED)
    last = day_files(SNAPSHOTS, staged)[-1].day
    publish(SUBJECTS, data, staged, end_of(last) + timedelta(hours=2))


WORK = {"hash": hash_rows, "build": build_all, "copy": copy, "publish": publish_staged}


def main() -> None:
    work, folder = sys.argv[1:]
    watch = Stopwatch()
    with watch.step(work):
        WORK[work](DataDirectory(Path(folder)))
    watch.tell()


if __name__ == "__main__":
    main()
