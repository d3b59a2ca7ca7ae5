-- One row per organization and day on which finance counts: those on which its members are known (or, where they never
-- are, anything is); and of a month without such a day every day up to the last that is known of any organization,
-- carried forward from the one before. Answers: on which days does finance count, and did anybody look? So no sum over
-- organizations falls because one of them was not read. A roster that is unknown on a counted day counts as last known.
-- reads: internal.finance_organizations, snapshot_log
with

observed as (
    select
        log.organization_id,
        log.snapshot_date,
        cast(date_trunc('month', log.snapshot_date) as date) as month
    from snapshot_log as log
    inner join internal.finance_organizations as organizations
        on organizations.organization_id = log.organization_id
    where log.users is not null
        or not organizations.has_members
),

spans as (
    select
        organization_id,
        min(month) as first_month,
        (select max(snapshot_date) from snapshot_log) as known_until
    from observed
    group by organization_id
),

months as (
    select
        organization_id,
        known_until,
        cast(unnest(range(first_month, known_until + 1, interval 1 month)) as date) as month
    from spans
),

missed as (
    select organization_id, month, least(last_day(month), known_until) as until
    from months
    anti join observed using (organization_id, month)
),

days as (
    select organization_id, snapshot_date, month, true as is_observed
    from observed
    union all
    select organization_id, month + cast(unnest(range(1 + until - month)) as integer), month, false
    from missed
)

select
    *,
    lead(snapshot_date) over (partition by organization_id order by snapshot_date) as next_date
from days
order by organization_id, snapshot_date
