-- One row per day, week or month, organization, kind of holder and license type, if anybody used it meanwhile.
-- Answers: how many did? A day's license type is the last one known on it. In a week or month each holder counts once,
-- under the license type that they held when they last used anything in it, so that types add up.
-- reads: internal.holder_uses, internal.usage_dates, license_history, temp.changed_periods
with

-- A period stands in the era of its last day; of one that begins in the era before, that one's bits are asked, too.
periods as materialized (
    select
        period,
        first_day,
        era,
        min(bit) filter (is_last) as bit,
        bit_or(alone) filter (is_last) as days,
        coalesce(bit_or(alone) filter (not is_last), days & ~ days) as days_before
    from (
        select
            periods.period,
            periods.first_day,
            max(dates.era) over (partition by periods.period, periods.first_day) as era,
            dates.era = max(dates.era) over (partition by periods.period, periods.first_day) as is_last,
            dates.bit,
            dates.alone
        from temp.changed_periods as periods
        inner join internal.usage_dates as dates
            on date_trunc(periods.period, dates.usage_date) = periods.first_day
    )
    group by period, first_day, era
),

eras as (
    select era, min(first_day) as first_day
    from periods
    group by era
),

stretches as (
    select
        history.organization_id,
        history.holder_type,
        history.license_type,
        history.holder_id,
        history.valid_from,
        history.valid_to,
        uses.era,
        coalesce(uses.days, uses.days_before & ~ uses.days_before) as days,
        coalesce(uses.days_before, uses.days & ~ uses.days) as days_before,
        history.valid_from <= eras.first_day and coalesce(history.valid_to > eras.era + 127, true) as is_whole
    from license_history as history
    inner join (
        from internal.holder_uses
        semi join eras using (era)
    ) as uses
        on uses.organization_id = history.organization_id
        and uses.holder_type = history.holder_type
        and uses.holder_id = history.holder_id
    inner join eras on eras.era = uses.era
    where coalesce(uses.days, uses.days_before) is not null
        and history.valid_from <= eras.era + 127
        and coalesce(history.valid_to > eras.first_day, true)
),

-- What each used while they held a license type, of those who have not held one all these days.
parts as (
    select
        organization_id,
        holder_type,
        license_type,
        holder_id,
        era,
        bit_or(days & ~ bits_up_to(valid_from - 1, era) & bits_up_to(valid_to - 1, era)) as days,
        bit_or(days_before & ~ bits_up_to(valid_from - 1, era - 128) & bits_up_to(valid_to - 1, era - 128)) as days_before
    from (select * replace (coalesce(valid_to, date '9999-12-31') as valid_to) from stretches)
    where not is_whole
    group by organization_id, holder_type, license_type, holder_id, era
    having bit_count(days) + bit_count(days_before) > 0
),

several as (
    select
        organization_id,
        holder_type,
        holder_id,
        era,
        bit_or(days) as days,
        bit_or(days_before) as days_before
    from parts
    group by organization_id, holder_type, holder_id, era
    having count(*) > 1
),

used as (
    select
        organization_id,
        holder_type,
        license_type,
        era,
        days,
        days_before,
        null as days_of_others,
        null as days_of_others_before
    from stretches
    where is_whole
    union all
    select
        parts.organization_id,
        parts.holder_type,
        parts.license_type,
        parts.era,
        parts.days,
        parts.days_before,
        several.days & ~ parts.days,
        several.days_before & ~ parts.days_before
    from parts
    left join several using (organization_id, holder_type, holder_id, era)
)

select periods.period, periods.first_day, used.organization_id, used.holder_type, used.license_type, count(*) as active
from used
inner join periods
    on periods.period = 'day'
    and periods.era = used.era
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
            when bit_count(used.days & periods.days) = 0 and bit_count(used.days_before & periods.days_before) = 0 then false
            when used.days_of_others is null then true
            -- later days stand before earlier ones
            else (used.days & periods.days, used.days_before & periods.days_before)
                > (used.days_of_others & periods.days, used.days_of_others_before & periods.days_before)
        end
    ) as active
from used
inner join (from periods where period <> 'day') as periods on periods.era = used.era
group by periods.period, periods.first_day, used.organization_id, used.holder_type, used.license_type
having active > 0
order by all
