-- One row, a variable: the first day for which it may be another than before who used what under which license; the first of
-- all, where nothing is taken over. Answers: of which days, weeks and months must active holders be counted again?
-- reads: inputs.usage, internal.holder_uses, internal.license_stretches, internal.usage_dates, temp.changed_holders,
--     temp.changed_uses, temp.known_holder_uses, temp.known_license_stretches
set variable used_since = (
with

used as (
    select min(usage_date) as day
    from inputs.usage
    where getvariable('amends')
),

-- Whose use it is that a name tells may become known only now, for days of long ago.
named as (
    select date '0001-01-01' as day
    from (
        select
            case when new.days is null or old.days is null then coalesce(new.days, old.days) else xor(new.days, old.days) end
                as days
        from temp.changed_uses as changed
        left join internal.holder_uses as new using (organization_id, holder_type, holder_id)
        left join temp.known_holder_uses as old using (organization_id, holder_type, holder_id)
    ) as learnt
    left join (
        select dates.up_to
        from internal.usage_dates as dates
        inner join used on used.day - 1 = dates.usage_date
    ) as before on true
    where bit_count(coalesce(learnt.days & before.up_to, learnt.days)) > 0
    limit 1
),

bounds as (
    select organization_id, holder_type, holder_id, license_type, unnest([(valid_from, true), (valid_to, false)]) as bound
    from internal.license_stretches
    semi join temp.changed_holders using (organization_id, holder_type, holder_id)
    where getvariable('amends')
),

known_bounds as (
    select organization_id, holder_type, holder_id, license_type, unnest([(valid_from, true), (valid_to, false)]) as bound
    from temp.known_license_stretches
    semi join temp.changed_holders using (organization_id, holder_type, holder_id)
    where getvariable('amends')
),

held as (
    (from bounds except from known_bounds)
    union all
    (from known_bounds except from bounds)
)

select case when getvariable('amends') then min(day) else date '0001-01-01' end
from (
    select day from used
    union all
    select day from named
    union all
    select bound[1] from held
)
)
