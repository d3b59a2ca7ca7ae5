-- One row per organization and month with a day that counts. Answers: how well is the month known, and how is it billed?
with

provenances as (
    select organization_id, month, string_agg(format('{} {}', provenance, days), ', ' order by provenance) as provenance
    from (
        select organization_id, month, provenance, count(*) as days
        from finance_days
        where is_counted
        group by organization_id, month, provenance
    )
    group by organization_id, month
),

months as (
    select
        organization_id,
        month,
        max(day) filter (where is_counted) as as_of,
        count(*) filter (where is_counted) as days_observed,
        count(*) as days_in_month,
        bool_and(state = 'final' or is_acknowledged) as is_final
    from finance_days
    group by organization_id, month
    having count(*) filter (where is_counted) > 0
)

select
    months.*,
    lag(months.month) over (partition by months.organization_id order by months.month) as previous_month,
    provenances.provenance,
    organizations.convention,
    organizations.currency
from months
inner join provenances
    on provenances.organization_id = months.organization_id
    and provenances.month = months.month
inner join internal.finance_organizations as organizations
    on organizations.organization_id = months.organization_id
order by months.organization_id, months.month
