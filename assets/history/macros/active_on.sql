-- One row per organization, kind of holder and license type on a day. Answers: of those who held a license when the day
-- closed, how many used anything on it, in the 7 days up to it, in the 30 days up to it (DAU, WAU, MAU)?
-- As of the last observed day up to it, as licenses_on. A source that sees all of their use has watched all these days
-- where is_complete; else there may have been more. Null where no report has reached any of the days.
-- reads: internal.holder_uses, internal.roster_days, internal.usage_dates, internal.watched_days, license_history
create macro active_on(on_day) as table
with

days as (
    select
        bit_or(alone) filter (usage_date = cast(on_day as date)) as day,
        bit_or(alone) filter (usage_date > cast(on_day as date) - 7) as week,
        bit_or(alone) as month
    from internal.usage_dates
    where usage_date between cast(on_day as date) - 29 and cast(on_day as date)
),

asked as (
    select organization_id, holder_type, max(snapshot_date) as as_of
    from internal.roster_days
    where snapshot_date <= cast(on_day as date)
        and holder_type <> 'invite'
    group by organization_id, holder_type
),

counted as (
    select
        history.organization_id,
        history.holder_type,
        history.license_type,
        asked.as_of,
        count(*) as holders,
        count(*) filter (bit_count(uses.days & days.day) > 0) as active_day,
        count(*) filter (bit_count(uses.days & days.week) > 0) as active_week,
        count(*) filter (bit_count(uses.days & days.month) > 0) as active_month
    from license_history as history
    inner join asked
        on asked.organization_id = history.organization_id
        and asked.holder_type = history.holder_type
    cross join days
    left join internal.holder_uses as uses
        on uses.organization_id = history.organization_id
        and uses.holder_type = history.holder_type
        and uses.holder_id = history.holder_id
    where history.valid_from <= asked.as_of
        and (history.valid_to is null or history.valid_to > asked.as_of)
    group by history.organization_id, history.holder_type, history.license_type, asked.as_of
),

watched as (
    select
        organization_id,
        holder_type,
        count(*) filter (day = cast(on_day as date)) as days,
        count(*) filter (day > cast(on_day as date) - 7) as days_of_week,
        count(*) as days_of_month,
        count(*) filter (sees_all) as days_complete
    from internal.watched_days
    where day between cast(on_day as date) - 29 and cast(on_day as date)
    group by organization_id, holder_type
)

select
    cast(on_day as date) as day,
    counted.as_of,
    counted.organization_id,
    counted.holder_type,
    counted.license_type,
    counted.holders,
    case when watched.days > 0 or counted.active_day > 0 then counted.active_day end as active_day,
    case when watched.days_of_week > 0 or counted.active_week > 0 then counted.active_week end as active_week,
    case when watched.days_of_month > 0 or counted.active_month > 0 then counted.active_month end as active_month,
    coalesce(watched.days_complete = 30, false) as is_complete
from counted
left join watched
    on watched.organization_id = counted.organization_id
    and watched.holder_type = counted.holder_type
