-- One row per holder of whom any use is known. Answers: on which days was each in use, and by which sources?
-- Ready for looking up the last use before any day: bits are read, no rows.
-- reads: internal.usage_dates, internal.usage_days, temp.changed_uses
with

told as (
    select organization_id, holder_type, holder_id, source, days, moments
    from internal.usage_days
    semi join temp.changed_uses using (organization_id, holder_type, holder_id)
    where holder_id is not null
),

instants as (
    select organization_id, holder_type, holder_id, source, moment.usage_date, moment.used_at
    from (select *, unnest(moments) as moment from told)
),

moments as (
    select
        instants.organization_id,
        instants.holder_type,
        instants.holder_id,
        bitstring_agg(dates.bit, 0, getvariable('usage_bits') - 1) filter (dates.bit is not null) as days,
        list(
            {usage_date: instants.usage_date, used_at: instants.used_at, source: instants.source}
            -- the last is the one that tells most, and of equal ones the first by name
            order by instants.usage_date, instants.used_at nulls first, instants.source desc
        ) as moments
    from instants
    left join internal.usage_dates as dates on dates.usage_date = instants.usage_date
    group by instants.organization_id, instants.holder_type, instants.holder_id
),

days as (
    select
        organization_id,
        holder_type,
        holder_id,
        bit_or(days) as days,
        min(source) as source,
        case when min(source) <> max(source) then list({source: source, days: days} order by source, days) end as sources
    from told
    where days is not null
    group by organization_id, holder_type, holder_id
)

select
    coalesce(days.organization_id, moments.organization_id) as organization_id,
    coalesce(days.holder_type, moments.holder_type) as holder_type,
    coalesce(days.holder_id, moments.holder_id) as holder_id,
    case when days.days is not null and moments.days is not null then days.days | moments.days else coalesce(days.days, moments.days) end
        as days,
    case when moments.days is not null then coalesce(days.days, moments.days & ~ moments.days) end as days_told,
    days.source,
    days.sources,
    moments.moments
from days
full join moments
    on moments.organization_id = days.organization_id
    and moments.holder_type = days.holder_type
    and moments.holder_id = days.holder_id
order by organization_id, holder_type, holder_id
