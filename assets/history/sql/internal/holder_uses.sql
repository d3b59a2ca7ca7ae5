-- One row per holder of whom any use is known and era, from the first one with use on. Answers: on which days of it was
-- each in use, by which sources, and when last before? Ready for looking up the last use before any day: one row tells.
-- reads: inputs.known_uses, internal.usage_dates, internal.usage_days, temp.changed_uses
with

told as (
    select organization_id, holder_type, holder_id, era, source, days, moments
    from internal.usage_days
    semi join temp.changed_uses using (organization_id, holder_type, holder_id, era)
    where holder_id is not null
),

instants as (
    select organization_id, holder_type, holder_id, era, source, moment.usage_date, moment.used_at
    from (select *, unnest(moments) as moment from told)
),

moments as (
    select
        instants.organization_id,
        instants.holder_type,
        instants.holder_id,
        instants.era,
        bitstring_agg(dates.bit, 0, 127) as days,
        list(
            {usage_date: instants.usage_date, used_at: instants.used_at, source: instants.source}
            -- the last is the one that tells most, and of equal ones the first by name
            order by instants.usage_date, instants.used_at, instants.source desc
        ) as moments
    from instants
    inner join internal.usage_dates as dates on dates.usage_date = instants.usage_date
    group by instants.organization_id, instants.holder_type, instants.holder_id, instants.era
),

days as (
    select
        organization_id,
        holder_type,
        holder_id,
        era,
        bit_or(days) as days,
        min(source) as source,
        min(source) <> max(source) as has_several
    from told
    where days is not null
    group by organization_id, holder_type, holder_id, era
),

sources as (
    select organization_id, holder_type, holder_id, era, list({source: source, days: days} order by source, days) as sources
    from told
    semi join (from days where has_several) using (organization_id, holder_type, holder_id, era)
    where days is not null
    group by organization_id, holder_type, holder_id, era
),

eras as (
    select
        era,
        lag(era) over (order by era) as previous_era,
        lead(era) over (order by era) as next_era,
        max(era) over () as last_era
    from (select distinct era from internal.usage_dates)
),

parts as (
    select
        coalesce(days.organization_id, moments.organization_id) as organization_id,
        coalesce(days.holder_type, moments.holder_type) as holder_type,
        coalesce(days.holder_id, moments.holder_id) as holder_id,
        coalesce(days.era, moments.era) as era,
        case
            when days.days is not null and moments.days is not null then days.days | moments.days
            else coalesce(days.days, moments.days)
        end as days,
        case when moments.days is not null then coalesce(days.days, moments.days & ~ moments.days) end as days_told,
        days.source,
        sources.sources,
        moments.moments,
        null as told_before,
        null as moment_before,
        false as is_known
    from days
    full join moments
        on moments.organization_id = days.organization_id
        and moments.holder_type = days.holder_type
        and moments.holder_id = days.holder_id
        and moments.era = days.era
    left join sources
        on sources.organization_id = days.organization_id
        and sources.holder_type = days.holder_type
        and sources.holder_id = days.holder_id
        and sources.era = days.era
    union all by name
    -- the last era before the first one that is made again: what was used before that is known from it
    select known.* exclude (days_before), true as is_known
    from inputs.known_uses as known
    inner join (
        select organization_id, holder_type, holder_id, min(era) as first_era
        from temp.changed_uses
        group by organization_id, holder_type, holder_id
    ) as changed
        on changed.organization_id = known.organization_id
        and changed.holder_type = known.holder_type
        and changed.holder_id = known.holder_id
    inner join eras
        on eras.era = changed.first_era
        and eras.previous_era = known.era
),

lasts as (
    select
        *,
        -- the latest day: its bit is the first
        bit_position('1'::bit, coalesce(days_told, days)) - 1 as last_bit,
        case
            when last_bit >= 0 then {
                usage_date: era + cast(127 - last_bit as integer),
                source: case
                    when sources is null then source
                    else list_filter(sources, lambda told: get_bit(told.days, last_bit) = 1)[1].source
                end
            }
            else told_before
        end as last_told,
        coalesce(moments[-1], moment_before) as last_moment
    from parts
),

-- From which era on each one's are made.
holders as (
    select
        row_number() over () as holder,
        found.organization_id,
        found.holder_type,
        found.holder_id,
        case when found.is_known then eras.next_era else eras.era end as first_era
    from (
        select organization_id, holder_type, holder_id, min(era) as era, bool_or(is_known) as is_known
        from lasts
        group by organization_id, holder_type, holder_id
    ) as found
    inner join eras on eras.era = found.era
),

made as (
    select
        holders.holder,
        holders.organization_id,
        holders.holder_type,
        holders.holder_id,
        eras.era,
        eras.previous_era,
        own.days,
        own.days_told,
        own.source,
        own.sources,
        own.moments,
        own.last_told,
        own.last_moment,
        before.last_told as told_before,
        before.last_moment as moment_before,
        case when before.era = eras.era - 128 then before.days end as days_before,
        -- as a rule: only the era that goes on is made again
        holders.first_era = eras.last_era as is_alone
    from holders
    inner join eras on eras.era >= holders.first_era
    left join (from lasts where not is_known) as own
        on own.organization_id = holders.organization_id
        and own.holder_type = holders.holder_type
        and own.holder_id = holders.holder_id
        and own.era = eras.era
    left join (from lasts where is_known) as before
        on before.organization_id = holders.organization_id
        and before.holder_type = holders.holder_type
        and before.holder_id = holders.holder_id
),

carried as (
    from made
    where is_alone
    union all by name
    select * replace (
        coalesce(last_value(last_told ignore nulls) over earlier, told_before) as told_before,
        coalesce(last_value(last_moment ignore nulls) over earlier, moment_before) as moment_before,
        coalesce(case when previous_era = era - 128 then lag(days) over eras end, days_before) as days_before
    )
    from made
    where not is_alone
    window
        eras as (partition by holder order by era),
        earlier as (partition by holder order by era rows between unbounded preceding and 1 preceding)
)

select * exclude (holder, previous_era, last_told, last_moment, is_alone)
from carried
order by era, organization_id, holder_type, holder_id
