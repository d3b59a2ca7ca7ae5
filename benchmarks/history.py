"""How long the history takes, and how much memory: against floors in the same run, on pretend snapshots.

`python -m benchmarks.history` prints the tables; `--quick` leaves the largest organization out. The snapshots are
deterministic: the same numbers give the same files, row for row. Each measurement is a process of its own.
"""

import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from assets.engine import engine
from assets.layout import COVERAGE, SNAPSHOTS, USAGE, DataDirectory, day_files
from assets.snapshots.schema import ATTRIBUTES_TOLD, LICENSE_ASSIGNMENTS
from assets.warehouse.build import build
from assets.warehouse.publish import publish
from benchmarks.past import write_past
from pipelines.subjects import SUBJECTS


@dataclass(frozen=True)
class Measured:
    """Wall clock and peak memory of one piece of work."""

    seconds: float
    mebibytes: int

    def __str__(self) -> str:
        return f"{self.seconds:8.2f} s {self.mebibytes:6,} MiB"


def alone(work: Callable[[Path], None], root: Path) -> Measured:
    """Do the work in a fresh process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_measured, work, root).result()


def _measured(work: Callable[[Path], None], root: Path) -> Measured:
    start = time.perf_counter()
    work(root)
    return Measured(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def floor(root: Path) -> None:
    """One hash over the same columns of all rows."""
    columns = ", ".join([name for name in LICENSE_ASSIGNMENTS.names if name in ATTRIBUTES_TOLD])
    files = [str(path) for path in sorted((root / SNAPSHOTS).rglob("part.parquet"))]
    with engine(root) as connection:
        rows = connection.read_parquet(files, hive_partitioning=True)
        rows.aggregate(f"bit_xor(hash({columns}, organization_id, snapshot_date))").fetchall()


def build_only(root: Path) -> None:
    """All relations, from all files."""
    with engine(root) as connection:
        build(connection, SUBJECTS, DataDirectory(root), DataDirectory(root / "nothing"), root / "built.duckdb")


def publish_staged(root: Path) -> None:
    """What a night does: build, check, put in place."""
    publish(SUBJECTS, DataDirectory(root), DataDirectory(root).staging("run"), datetime.now(UTC))


def copy(root: Path) -> None:
    shutil.copyfile(root / "warehouse.duckdb", root / "copy.duckdb")
    with (root / "copy.duckdb").open("rb") as file:
        os.fsync(file.fileno())


QUESTIONS = {
    "a year of seats by month": "select month, license_type, sum(seats_peak) from seat_counts_monthly group by all",
    "licenses_on(day), counted": "select license_type, count(*) from licenses_on(date '2023-01-20') group by all",
    "one holder's timeline": "from holder_timeline('holder.5@example.com')",
    "seats_on(day)": "from seats_on(date '2023-01-20')",
    "license_snapshots of a day": "select count(*) from license_snapshots where snapshot_date = '2023-01-20'",
}


def asked(warehouse: Path, query: str) -> float:
    """Milliseconds from a fresh connection, the best of five."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            connection.execute(query).fetchall()
        best = min(best, time.perf_counter() - start)
    return 1000 * best


def year(root: Path, *, holders: int, days: int) -> None:
    """Everything about one organization: built, one more day, questions, sizes."""
    print(f"{holders:,} holders x {days:,} days", flush=True)
    for _ in write_past(root, holders=holders, days=days + 1):
        pass
    staged = DataDirectory(root).staging("run")
    for dataset in (SNAPSHOTS, USAGE, COVERAGE):
        newest = day_files(dataset, DataDirectory(root))[-1].path
        place = staged.root / newest.relative_to(root)
        place.parent.mkdir(parents=True)
        newest.replace(place)
    least, built = alone(floor, root), alone(build_only, root)
    print(f"  floor: one hash over all rows {least}\n  build {built}   {built.seconds / least.seconds:.1f} x floor")
    (root / "built.duckdb").replace(root / "warehouse.duckdb")
    print(f"  copying the file {alone(copy, root)}\n  one more day, published {alone(publish_staged, root)}")
    for question, query in QUESTIONS.items():
        print(f"  {question} {asked(root / 'warehouse.duckdb', query):.0f} ms")
    parquet = sum(path.stat().st_size for path in (root / SNAPSHOTS).rglob("part.parquet"))
    print(f"  Parquet {parquet / 1e6:,.0f} MB, warehouse {(root / 'warehouse.duckdb').stat().st_size / 1e6:,.0f} MB")


def growth(scratch: Path, sizes: list[tuple[int, int]]) -> None:
    """How the build grows with days and holders."""
    print("holders    days       build")
    for holders, days in sizes:
        with TemporaryDirectory(dir=scratch) as folder:
            for _ in write_past(Path(folder), holders=holders, days=days):
                pass
            print(f"{holders:7,} {days:7,} {alone(build_only, Path(folder))}", flush=True)


def main() -> None:
    quick = "--quick" in sys.argv
    with TemporaryDirectory() as folder:
        year(Path(folder) / "year", holders=10_000 if quick else 100_000, days=365)
        growth(Path(folder), [(10_000, 30), (10_000, 365), (10_000, 1095), (1_000, 365)])


if __name__ == "__main__":
    main()
