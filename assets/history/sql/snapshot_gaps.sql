-- One row per organization and day without any snapshot between its first and its last. Answers: which days are missing?
-- reads: snapshot_log
with

spans as (
    select organization_id, min(snapshot_date) as first_day, max(snapshot_date) as last_day
    from snapshot_log
    group by organization_id
),

days as (
    select
        organization_id,
        first_day + cast(unnest(range(last_day - first_day)) as integer) as gap_date
    from spans
)

select days.organization_id, days.gap_date
from days
anti join snapshot_log
    on snapshot_log.organization_id = days.organization_id
    and snapshot_log.snapshot_date = days.gap_date
order by days.organization_id, days.gap_date
