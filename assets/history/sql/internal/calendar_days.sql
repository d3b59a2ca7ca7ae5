-- One row per organization, kind of holder and calendar day from the roster's first to the last day that is known of any
-- organization. Answers: which observed day speaks for each day? So no sum over organizations falls for want of a look.
-- reads: internal.roster_days, snapshot_log
with

last_days as (
    select max(snapshot_date) as last_day
    from snapshot_log
),

days as (
    select
        rosters.organization_id,
        rosters.holder_type,
        rosters.snapshot_date as as_of,
        unnest(range(coalesce(rosters.next_date, last_days.last_day + 1) - rosters.snapshot_date)) as later
    from internal.roster_days as rosters
    cross join last_days
)

select
    organization_id,
    holder_type,
    as_of + cast(later as integer) as day,
    as_of,
    later = 0 as is_observed
from days
order by organization_id, holder_type, day
