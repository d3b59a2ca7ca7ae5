-- One row per organization, kind of holder and calendar day from the roster's first to the last day that is known of any
-- organization. Answers: which observed day speaks for each day? So no sum over organizations falls for want of a look.
-- reads: internal.roster_days, snapshot_log
with

spans as (
    select
        organization_id,
        holder_type,
        min(snapshot_date) as first_day,
        (select max(snapshot_date) from snapshot_log) as last_day
    from internal.roster_days
    group by organization_id, holder_type
),

days as (
    select organization_id, holder_type, first_day + cast(unnest(range(1 + last_day - first_day)) as integer) as day
    from spans
)

select
    days.organization_id,
    days.holder_type,
    days.day,
    rosters.snapshot_date as as_of,
    rosters.snapshot_date = days.day as is_observed
from days
asof inner join internal.roster_days as rosters
    on rosters.organization_id = days.organization_id
    and rosters.holder_type = days.holder_type
    and rosters.snapshot_date <= days.day
order by days.organization_id, days.holder_type, days.day
