-- One row per fault. Assumes: from an organization's first snapshot day to its last, every day is either in the log or
-- a gap, never both.
-- reads: snapshot_gaps, snapshot_log
with

days as (
    select organization_id, snapshot_date as day
    from snapshot_log
    union all
    select organization_id, gap_date
    from snapshot_gaps
)

select
    format(
        '{}: {} snapshots and gaps, {} of them distinct, for the {} days from {} to {}',
        organization_id, count(*), count(distinct day), 1 + max(day) - min(day), min(day), max(day)
    ) as finding
from days
group by organization_id
having count(*) <> 1 + max(day) - min(day)
    or count(distinct day) <> count(*)
