-- One row per holder and license type that they held, if they have used anything meanwhile.
-- Answers: on which days was it in use by whom, as bits? A day's license type is the last one known on it.
-- reads: internal.holder_uses, internal.usage_dates, license_history
with

used as (
    select
        history.organization_id,
        history.holder_type,
        history.license_type,
        history.holder_id,
        bit_or(uses.days & coalesce(~ before.up_to, uses.days) & coalesce(last.up_to, uses.days)) as days
    from license_history as history
    inner join internal.holder_uses as uses
        on uses.organization_id = history.organization_id
        and uses.holder_type = history.holder_type
        and uses.holder_id = history.holder_id
    left join internal.usage_dates as before on before.usage_date = history.valid_from - 1
    left join internal.usage_dates as last on last.usage_date = history.valid_to - 1
    where uses.days is not null
        and coalesce(history.valid_to > getvariable('usage_from'), true)
    group by history.organization_id, history.holder_type, history.license_type, history.holder_id
    having bit_count(days) > 0
),

together as (
    select organization_id, holder_type, holder_id, bit_or(days) as days
    from used
    group by organization_id, holder_type, holder_id
    having count(*) > 1
)

select
    used.organization_id,
    used.holder_type,
    used.license_type,
    used.holder_id,
    used.days,
    together.days & ~ used.days as days_of_others
from used
left join together
    on together.organization_id = used.organization_id
    and together.holder_type = used.holder_type
    and together.holder_id = used.holder_id
order by used.organization_id, used.holder_type, used.license_type, used.holder_id
