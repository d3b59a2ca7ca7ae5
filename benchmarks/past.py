"""A pretend organization's past: snapshots and what each night heard of use, as files; the same numbers give the same
rows.

What grows in a real company grows here: each night a third of all holders has used something, and every snapshot shows
another last use for them.

`python -m benchmarks.past <folder> <holders> <first day> <days>` writes one.
"""

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from assets.days import TRAILING_DAYS, end_of
from assets.engine import engine
from assets.layout import DataDirectory, snapshot_file, usage_file
from assets.snapshots.schema import COVERAGE, LICENSE_ASSIGNMENTS, USAGE, Provenance
from assets.snapshots.snapshot import SnapshotFacts, write_table
from benchmarks.measuring import Stopwatch

ORGANIZATION = "11111111-2222-4333-8444-555555555555"

HOLDERS = """
create table holders as
select
    i,
    case when i % 4 = 3 then 'api_key' else 'user' end as holder_type,
    case when i % 4 = 3 then 'apikey_' else 'user_' end || md5(i::varchar)[:24] as holder_id,
    i as owner,
    0 as version,
    date '1900-01-01' as away_until,
    -- some use it every day, some never: 35 of 100 on a day
    least(100, (hash(i, 'zeal') % 100)::integer * 0.7) as zeal,
    null::date as last_used
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

# A few uses are told a day late.
USED = """
create or replace temp table used as
select i, holder_type, holder_id, used_on
from holders
cross join (select unnest([$day::date, $day::date - 1]) as used_on)
where hash(i, used_on, 'use') % 100 < zeal
    and away_until <= used_on
    and (hash(i, used_on, 'late') % 50 = 0) = (used_on < $day::date)
"""

LAST_USES = """
update holders set last_used = greatest(last_used, latest)
from (select i as active, max(used_on) as latest from used group by i)
where i = active
"""

# A third of the members use Claude Code, whose report names them by their e-mail address.
USES = """
select
    used_on as usage_date,
    'analytics' as source,
    holder_type,
    holder_id,
    null::varchar as subject,
    'id' as matched_by,
    null::timestamptz as used_at
from used
union all
select used_on, 'claude_code', holder_type, holder_id, 'holder.' || i || '@example.com', 'email', null
from used
where holder_type = 'user'
    and i % 3 = 0
order by usage_date, source, holder_type, holder_id, subject
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
    last_used::timestamptz as last_used_at,
    case when last_used is not null then 'day' end as last_used_precision,
    case when last_used is not null then 'analytics' end as last_used_source,
    if(last_used is null, 'never_seen', 'used') as last_used_state,
    $first::date as usage_observed_since,
    $day::date as usage_observed_until,
    'observed' as provenance,
    $observed_at::timestamptz as observed_at,
    'run-' || $day as run_id
from holders
where away_until <= $day::date
order by holder_type, holder_id
"""


def write_past(root: Path, *, holders: int, first: date, days: int) -> Iterator[date]:
    """Write `days` nights of one organization beneath `root`, one after another, from that of the first day on."""
    with engine(root) as connection:
        connection.execute(HOLDERS, [holders])
        for offset in range(days):
            day = first + timedelta(days=offset)
            for change in (CHANGES, USED):
                connection.execute(change, {"day": day.isoformat()})
            connection.execute(LAST_USES)
            _write_snapshot(connection, DataDirectory(root), first, day)
            _write_usage(connection, DataDirectory(root), first, day)
            yield day


def _write_snapshot(connection: duckdb.DuckDBPyConnection, tree: DataDirectory, first: date, day: date) -> None:
    observed_at = end_of(day) + timedelta(hours=2)
    parameters = {"day": day.isoformat(), "first": first.isoformat(), "observed_at": observed_at.isoformat()}
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
        usage_sources=["analytics", "claude_code"],
    )
    rows = connection.sql(ROWS, params=parameters)
    write_table(snapshot_file(tree, day, ORGANIZATION), rows, LICENSE_ASSIGNMENTS, facts)


def _write_usage(connection: duckdb.DuckDBPyConnection, tree: DataDirectory, first: date, day: date) -> None:
    write_table(usage_file(tree.usage, day, ORGANIZATION), connection.sql(USES), USAGE)
    span = {"covered_from": max(first, day - timedelta(days=TRAILING_DAYS - 1)), "covered_to": day}
    told = {"source": "analytics", "endpoint": "analytics_usage", "sees": "all"} | span
    rows = pa.Table.from_pylist([told | {"holder_type": kind} for kind in ("api_key", "user")], COVERAGE)
    write_table(usage_file(tree.coverage, day, ORGANIZATION), connection.from_arrow(rows), COVERAGE)


def main() -> None:
    folder, holders, first, days = sys.argv[1:]
    watch = Stopwatch()
    with watch.step("write"):
        for _ in write_past(Path(folder), holders=int(holders), first=date.fromisoformat(first), days=int(days)):
            pass
    watch.tell()


if __name__ == "__main__":
    main()
