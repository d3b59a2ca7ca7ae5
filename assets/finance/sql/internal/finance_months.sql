-- One row per organization and month, from its first one with a day that counts to the last that is known of any
-- organization. Answers: how well is the month known, and how is it billed? One without such a day is carried forward.
-- reads: finance_closed, finance_closings, finance_days, internal.counted_days, internal.finance_organizations
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

counted as (
    select
        organization_id,
        month,
        max(snapshot_date) as as_of,
        count(*) filter (where is_observed) as days_observed,
        count(*) as days_counted
    from internal.counted_days
    group by organization_id, month
),

days as (
    select
        organization_id,
        month,
        count(*) as days_in_month,
        bool_and(state = 'final' or is_acknowledged) as is_final
    from finance_days
    group by organization_id, month
),

closed_months as (
    select distinct month
    from finance_closings
    where is_in_force
),

signed as (
    select distinct organization_id, month
    from finance_closed
)

select
    counted.organization_id,
    counted.month,
    counted.as_of,
    counted.days_observed,
    counted.days_counted,
    days.days_in_month,
    days.is_final,
    lag(counted.month) over (partition by counted.organization_id order by counted.month) as previous_month,
    coalesce(provenances.provenance, 'carried forward') as provenance,
    -- signed without this organization, when months were not carried yet: that is nothing that has come to light since
    counted.days_observed = 0 and closed_months.month is not null and signed.month is null as is_signed_without,
    organizations.convention,
    organizations.currency
from counted
inner join days
    on days.organization_id = counted.organization_id
    and days.month = counted.month
left join provenances
    on provenances.organization_id = counted.organization_id
    and provenances.month = counted.month
left join closed_months on closed_months.month = counted.month
left join signed
    on signed.organization_id = counted.organization_id
    and signed.month = counted.month
inner join internal.finance_organizations as organizations
    on organizations.organization_id = counted.organization_id
order by counted.organization_id, counted.month
