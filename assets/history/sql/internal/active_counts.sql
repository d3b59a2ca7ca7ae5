-- One row per day, week or month, organization, kind of holder and license type, if anybody used it meanwhile.
-- Answers: how many did? A day's license type is the last one known on it. In a week or month each holder counts once,
-- under the license type that they held when they last used anything in it, so that types add up.
-- reads: internal.holder_uses, internal.usage_dates, license_history, temp.changed_periods
with

periods as materialized (
    select
        periods.period,
        periods.first_day,
        min(dates.bit) as bit,
        bit_or(dates.alone) as days
    from temp.changed_periods as periods
    inner join internal.usage_dates as dates
        on date_trunc(periods.period, dates.usage_date) = periods.first_day
    group by periods.period, periods.first_day
),

stretches as (
    select
        history.organization_id,
        history.holder_type,
        history.license_type,
        history.holder_id,
        history.valid_from,
        history.valid_to,
        uses.days,
        coalesce(history.valid_from <= periods.first_day and history.valid_to is null, false) as is_whole
    from license_history as history
    inner join internal.holder_uses as uses
        on uses.organization_id = history.organization_id
        and uses.holder_type = history.holder_type
        and uses.holder_id = history.holder_id
    cross join (select min(first_day) as first_day from temp.changed_periods) as periods
    where uses.days is not null
        and coalesce(history.valid_to > periods.first_day, true)
),

-- What each used while they held a license type, of those who have not held one all these days.
parts as (
    select
        stretches.organization_id,
        stretches.holder_type,
        stretches.license_type,
        stretches.holder_id,
        bit_or(stretches.days & coalesce(~ before.up_to, stretches.days) & coalesce(last.up_to, stretches.days)) as days
    from stretches
    left join internal.usage_dates as before on before.usage_date = stretches.valid_from - 1
    left join internal.usage_dates as last on last.usage_date = stretches.valid_to - 1
    where not stretches.is_whole
    group by stretches.organization_id, stretches.holder_type, stretches.license_type, stretches.holder_id
    having bit_count(days) > 0
),

several as (
    select organization_id, holder_type, holder_id, bit_or(days) as days
    from parts
    group by organization_id, holder_type, holder_id
    having count(*) > 1
),

used as (
    select organization_id, holder_type, license_type, days, null as days_of_others
    from stretches
    where is_whole
    union all
    select parts.organization_id, parts.holder_type, parts.license_type, parts.days, several.days & ~ parts.days
    from parts
    left join several using (organization_id, holder_type, holder_id)
)

select periods.period, periods.first_day, used.organization_id, used.holder_type, used.license_type, count(*) as active
from used
inner join periods
    on periods.period = 'day'
    and get_bit(used.days, periods.bit) = 1
group by periods.period, periods.first_day, used.organization_id, used.holder_type, used.license_type
union all
-- a join on these conditions would look at all of them for every pair; a case stops at the first
select
    periods.period,
    periods.first_day,
    used.organization_id,
    used.holder_type,
    used.license_type,
    count(*) filter (
        where case
            when bit_count(used.days & periods.days) = 0 then false
            when used.days_of_others is null or bit_count(used.days_of_others & periods.days) = 0 then true
            -- later days stand before earlier ones
            else used.days & periods.days > used.days_of_others & periods.days
        end
    ) as active
from used
cross join (from periods where period <> 'day') as periods
group by periods.period, periods.first_day, used.organization_id, used.holder_type, used.license_type
having active > 0
order by all
