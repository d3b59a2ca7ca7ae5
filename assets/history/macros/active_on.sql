-- One row per organization, kind of holder and license type on a day. Answers: of those who held a license when the day
-- closed, how many used anything on it, in the 7 days up to it, in the 30 days up to it (DAU, WAU, MAU)?
-- As of the last observed day up to it, as licenses_on. A source that sees all of their use has watched all these days
-- where is_complete; else there may have been more. Null where no report has reached any of the days.
-- reads: internal.holder_uses, internal.roster_days, internal.usage_dates, internal.watched_days, license_history
create macro active_on(on_day) as table
with

-- Of the day's era and, where the 30 days begin in it, of the one before.
days as (
    select
        last.era,
        bit_or(dates.alone) filter (dates.usage_date = last.usage_date) as day,
        bit_or(dates.alone) filter (dates.era = last.era and dates.usage_date > last.usage_date - 7) as week,
        bit_or(dates.alone) filter (dates.era < last.era and dates.usage_date > last.usage_date - 7) as week_before,
        bit_or(dates.alone) filter (dates.era = last.era) as month,
        bit_or(dates.alone) filter (dates.era < last.era) as month_before
    from internal.usage_dates as last
    inner join internal.usage_dates as dates on dates.usage_date between last.usage_date - 29 and last.usage_date
    where last.usage_date = cast(on_day as date)
    group by last.era
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
        count(*) filter (
            bit_count(uses.days & days.week) > 0 or bit_count(uses.days_before & days.week_before) > 0
        ) as active_week,
        count(*) filter (
            bit_count(uses.days & days.month) > 0 or bit_count(uses.days_before & days.month_before) > 0
        ) as active_month
    from license_history as history
    inner join asked
        on asked.organization_id = history.organization_id
        and asked.holder_type = history.holder_type
    left join days on true
    left join internal.holder_uses as uses
        on uses.organization_id = history.organization_id
        and uses.holder_type = history.holder_type
        and uses.holder_id = history.holder_id
        and uses.era = days.era
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
