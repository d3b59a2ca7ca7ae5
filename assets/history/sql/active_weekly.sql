-- One row per week, organization, kind of holder and license type, from the roster's first day on. Answers: how many of
-- those who held a license used anything in that week (WAU)? Each counts once, under the license type that they held
-- when they last did, so that types add up. Null where no report has reached any of its days.
-- reads: internal.license_uses, internal.usage_dates, internal.watched_days, seat_counts_daily
create view active_weekly as
with

weeks as (
    select cast(date_trunc('week', usage_date) as date) as week, bit_or(alone) as days
    from internal.usage_dates
    group by week
),

held as (
    select organization_id, holder_type, license_type, snapshot_date as day, sum(seats) as holders
    from seat_counts_daily
    group by organization_id, holder_type, license_type, snapshot_date
),

counted as (
    select
        organization_id,
        holder_type,
        license_type,
        cast(date_trunc('week', day) as date) as week,
        count(*) as days,
        arg_max(holders, day) as holders,
        0 as active
    from held
    group by organization_id, holder_type, license_type, week
    union all
    select uses.organization_id, uses.holder_type, uses.license_type, weeks.week, 0, 0, count(*)
    from internal.license_uses as uses
    inner join weeks
        on bit_count(uses.days & weeks.days) > 0
        -- later days stand before earlier ones
        and coalesce(uses.days & weeks.days > uses.days_of_others & weeks.days, true)
    group by uses.organization_id, uses.holder_type, uses.license_type, weeks.week
),

summed as (
    select
        organization_id,
        holder_type,
        license_type,
        week,
        sum(days) as days,
        cast(sum(holders) as bigint) as holders,
        cast(sum(active) as bigint) as active
    from counted
    group by organization_id, holder_type, license_type, week
),

watched as (
    select
        organization_id,
        holder_type,
        cast(date_trunc('week', day) as date) as week,
        count(*) filter (sees_all) as days_complete
    from internal.watched_days
    group by organization_id, holder_type, week
)

select
    summed.week,
    summed.organization_id,
    summed.holder_type,
    summed.license_type,
    summed.holders,
    case when watched.week is not null or summed.active > 0 then summed.active end as active,
    coalesce(watched.days_complete >= summed.days, false) as is_complete
from summed
left join watched
    on watched.organization_id = summed.organization_id
    and watched.holder_type = summed.holder_type
    and watched.week = summed.week
where summed.holder_type <> 'invite'
order by summed.week, summed.organization_id, summed.holder_type, summed.license_type
