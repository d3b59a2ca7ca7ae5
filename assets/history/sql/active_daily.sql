-- One row per day, organization, kind of holder and license type, from the roster's first day on. Answers: how many of
-- those who held a license used anything on that day (DAU)? Null where no report has reached the day.
-- reads: internal.license_uses, internal.usage_dates, internal.watched_days, seat_counts_daily
create view active_daily as
with

counted as (
    select organization_id, holder_type, license_type, snapshot_date as day, seats as holders, 0 as active
    from seat_counts_daily
    union all
    select uses.organization_id, uses.holder_type, uses.license_type, dates.usage_date, 0, count(*)
    from internal.license_uses as uses
    inner join internal.usage_dates as dates on get_bit(uses.days, dates.bit) = 1
    group by uses.organization_id, uses.holder_type, uses.license_type, dates.usage_date
),

summed as (
    select
        organization_id,
        holder_type,
        license_type,
        day,
        cast(sum(holders) as bigint) as holders,
        cast(sum(active) as bigint) as active
    from counted
    group by organization_id, holder_type, license_type, day
)

select
    summed.day,
    summed.organization_id,
    summed.holder_type,
    summed.license_type,
    summed.holders,
    case when watched.day is not null or summed.active > 0 then summed.active end as active,
    coalesce(watched.sees_all, false) as is_complete
from summed
left join internal.watched_days as watched
    on watched.organization_id = summed.organization_id
    and watched.holder_type = summed.holder_type
    and watched.day = summed.day
where summed.holder_type <> 'invite'
order by summed.day, summed.organization_id, summed.holder_type, summed.license_type
