-- One row, a variable: the first day for which it may be another than before who used what under which license; the first of
-- all, where nothing is taken over. Answers: of which days, weeks and months must active holders be counted again?
-- reads: inputs.days_to_read, inputs.known_uses, inputs.usage, internal.holder_uses, internal.usage_dates,
--     temp.changed_uses, temp.known_input_files
set variable used_since = (
with

used as (
    select min(usage_date) as day
    from inputs.usage
    where getvariable('amends')
),

-- Whose use it is that a name tells may become known only now, for days of long ago: told of the era's first day on.
named as (
    select min(learnt.era) as day
    from (
        select
            changed.era,
            case
                when new.days is null or old.days is null then coalesce(new.days, old.days)
                else xor(new.days, old.days)
            end as days
        from temp.changed_uses as changed
        left join internal.holder_uses as new using (organization_id, holder_type, holder_id, era)
        left join inputs.known_uses as old using (organization_id, holder_type, holder_id, era)
    ) as learnt
    left join (
        select dates.era, dates.up_to
        from internal.usage_dates as dates
        inner join used on used.day - 1 = dates.usage_date
    ) as before on true
    where coalesce(before.era >= learnt.era, true)
        and bit_count(case when before.era = learnt.era then learnt.days & before.up_to else learnt.days end) > 0
)

select case when getvariable('amends') then min(day) else date '0001-01-01' end
from (
    select day from used
    union all
    select day from named
    union all
    -- what was held before the days that are read was known then
    select min(snapshot_date) from inputs.days_to_read
    union all
    -- use may have been told before its day came
    select max(day) + 1 from temp.known_input_files
)
)
