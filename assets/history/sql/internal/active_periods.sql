-- One row per day, week or month, organization, kind of holder and license type, from the roster's first day on.
-- Answers: how many held such a license at its end, how many of them used anything, and had reports reached all of it?
-- active is null where no report has reached any of its days.
-- reads: internal.active_counts, internal.watched_days, seat_counts_daily
with

units as (
    select unnest(['day', 'week', 'month']) as period
),

held as (
    select organization_id, holder_type, license_type, snapshot_date as day, sum(seats) as holders
    from seat_counts_daily
    where holder_type <> 'invite'
    group by organization_id, holder_type, license_type, snapshot_date
),

counted as (
    select
        units.period,
        cast(date_trunc(units.period, held.day) as date) as first_day,
        held.organization_id,
        held.holder_type,
        held.license_type,
        count(*) as days,
        arg_max(held.holders, held.day) as holders,
        0 as active
    from held
    cross join units
    group by units.period, first_day, held.organization_id, held.holder_type, held.license_type
    union all
    select period, first_day, organization_id, holder_type, license_type, 0, 0, active
    from internal.active_counts
),

summed as (
    select
        period,
        first_day,
        organization_id,
        holder_type,
        license_type,
        sum(days) as days,
        cast(sum(holders) as bigint) as holders,
        cast(sum(active) as bigint) as active
    from counted
    group by period, first_day, organization_id, holder_type, license_type
),

watched as (
    select
        units.period,
        cast(date_trunc(units.period, watched.day) as date) as first_day,
        watched.organization_id,
        watched.holder_type,
        count(*) filter (watched.sees_all) as days_complete
    from internal.watched_days as watched
    cross join units
    group by units.period, first_day, watched.organization_id, watched.holder_type
)

select
    summed.period,
    summed.first_day,
    summed.organization_id,
    summed.holder_type,
    summed.license_type,
    summed.holders,
    case when watched.first_day is not null or summed.active > 0 then summed.active end as active,
    coalesce(watched.days_complete >= greatest(1, summed.days), false) as is_complete
from summed
left join watched
    on watched.organization_id = summed.organization_id
    and watched.holder_type = summed.holder_type
    and watched.period = summed.period
    and watched.first_day = summed.first_day
order by summed.period, summed.first_day, summed.organization_id, summed.holder_type, summed.license_type
