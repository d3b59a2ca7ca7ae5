"""How long the history takes, and how much memory: against floors in the same run, on pretend snapshots.

`python -m benchmarks.history` prints the tables; `--quick` leaves the largest organization out. The snapshots are
deterministic: the same numbers give the same files, row for row. Each measurement is a process of its own.
"""

import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from assets.engine import engine
from assets.layout import SNAPSHOTS, DataDirectory, snapshot_file
from assets.snapshots.schema import ATTRIBUTES_TOLD, LICENSE_ASSIGNMENTS, Provenance
from assets.snapshots.snapshot import SnapshotFacts, write_table
from assets.warehouse.build import build
from assets.warehouse.publish import publish
from pipelines.subjects import SUBJECTS

FIRST = date(2023, 1, 1)
ORGANIZATION = "11111111-2222-4333-8444-555555555555"

HOLDERS = """
create table holders as
select
    i,
    case when i % 4 = 3 then 'api_key' else 'user' end as holder_type,
    case when i % 4 = 3 then 'apikey_' else 'user_' end || md5(i::varchar)[:24] as holder_id,
    i as owner,
    0 as version,
    date '1900-01-01' as away_until
from range(?) as numbers (i)
"""

# About one holder in a thousand changes on a day: a third is away for some days, a third is renamed or re-owned,
# a third changes its role (and often changes it back, so that an old row returns).
CHANGES = """
update holders
set
    version = case when kind > 0 then version + 1 else version end,
    away_until = case when kind = 0 then $day::date + (length % 9)::integer + 1 else away_until end
from (
    select i as changed, (hash(i, $day, 'kind') % 3)::integer as kind, (hash(i, $day, 'away') % 1000)::integer as length
    from holders
    where hash(i, $day) % 1000 = 0
)
where i = changed
"""

ROWS = """
select
    'Synthetic' as organization_name,
    holder_type,
    holder_id,
    if(holder_type = 'api_key', 'API Key', ['User', 'Developer', 'Admin'][1 + version % 3]) as license_type,
    case when holder_type = 'user' then ['user', 'developer', 'admin'][1 + version % 3] end as role,
    case when holder_type = 'api_key' and version % 2 = 1 then 'Disabled' else 'Active' end as status,
    case when holder_type = 'api_key' then if(version % 2 = 1, 'inactive', 'active') end as status_raw,
    'Holder ' || i || if(version % 5 = 4, ' (renamed)', '') as name,
    case when holder_type = 'user' then 'holder.' || i || '@example.com' end as email,
    case when holder_type = 'api_key' then 'user_' || md5((i - 1)::varchar)[:24] end as owner_user_id,
    case when holder_type = 'api_key' then 'holder.' || (i - 1) || '@example.com' end as owner_email,
    case when holder_type = 'api_key' then 'user' end as owner_type,
    case when holder_type = 'api_key' then 'member' end as owner_status,
    case when holder_type = 'api_key' and i % 8 = 3 then 'wrkspc_' || i % 20 end as workspace_id,
    case when holder_type = 'api_key' and i % 8 = 3 then 'Workspace ' || i % 20 end as workspace_name,
    case when holder_type = 'api_key' and i % 8 = 3 then 'workspace' end as key_scope,
    case when holder_type = 'api_key' then 'sk-ant-api03-' || md5(i::varchar)[:3] || '...' end as key_hint,
    null::timestamptz as expires_at,
    timestamptz '2022-06-01 08:00:00+00' + to_minutes(i) as assigned_at,
    null::varchar as invite_id,
    null::timestamptz as last_used_at,
    null::varchar as last_used_precision,
    null::varchar as last_used_source,
    'unknown' as last_used_state,
    null::date as usage_observed_since,
    null::date as usage_observed_until,
    'observed' as provenance,
    $observed_at::timestamptz as observed_at,
    'run-' || $day as run_id
from holders
where away_until <= $day::date
order by holder_type, holder_id
"""


def write_snapshots(root: Path, *, holders: int, days: int) -> Iterator[date]:
    """Write `days` daily snapshots of one organization beneath `root`."""
    with engine(root) as connection:
        connection.execute(HOLDERS, [holders])
        for offset in range(days):
            day = FIRST + timedelta(days=offset)
            connection.execute(CHANGES, {"day": day.isoformat()})
            _write(connection, DataDirectory(root), day)
            yield day


def _write(connection: duckdb.DuckDBPyConnection, tree: DataDirectory, day: date) -> None:
    observed_at = datetime(day.year, day.month, day.day, 2, tzinfo=UTC) + timedelta(days=1)
    rows = connection.sql(ROWS, params={"day": day.isoformat(), "observed_at": observed_at.isoformat()})
    ((users, api_keys),) = connection.execute(
        "select count(*) filter (holder_type = 'user'), count(*) filter (holder_type = 'api_key') from holders "
        "where away_until <= ?",
        [day],
    ).fetchall()
    facts = SnapshotFacts(
        organization_id=ORGANIZATION,
        organization_name="Synthetic",
        snapshot_date=day,
        provenance=Provenance.OBSERVED,
        is_final=True,
        observed_at=observed_at,
        run_id=f"run-{day}",
        observation="synthetic",
        users=users,
        api_keys=api_keys,
        invites=0,
    )
    write_table(snapshot_file(tree, day, ORGANIZATION), rows, LICENSE_ASSIGNMENTS, facts)


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
    for day in write_snapshots(root, holders=holders, days=days + 1):
        last = day
    staged = DataDirectory(root).staging("run")
    newest = snapshot_file(staged, last, ORGANIZATION)
    newest.parent.mkdir(parents=True)
    snapshot_file(DataDirectory(root), last, ORGANIZATION).replace(newest)
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
            for _ in write_snapshots(Path(folder), holders=holders, days=days):
                pass
            print(f"{holders:7,} {days:7,} {alone(build_only, Path(folder))}", flush=True)


def main() -> None:
    quick = "--quick" in sys.argv
    with TemporaryDirectory() as folder:
        year(Path(folder) / "year", holders=10_000 if quick else 100_000, days=365)
        growth(Path(folder), [(10_000, 30), (10_000, 365), (10_000, 1095), (1_000, 365)])


if __name__ == "__main__":
    main()
