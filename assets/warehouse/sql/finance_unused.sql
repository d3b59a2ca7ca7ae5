-- One row per month and active holder with a seat at its end, of whom no use is known in the 30 days before.
-- Answers: which seats are paid and not used, for how long, and how sure is that? is_unused: a source watched on 30 days
-- or more and saw nothing; else it is not known. Who was added in these 30 days is too new to tell, and stands in no row.
create view finance_unused as
with

months as (
    select organization_id, month, as_of
    from internal.finance_months
),

holders as (
    select
        months.month,
        months.as_of,
        stretches.*,
        cast(make_timestamp(epoch_us(stretches.assigned_at)) as date) as assigned_date
    from internal.seat_stretches as stretches
    inner join months
        on months.organization_id = stretches.organization_id
        and months.as_of >= stretches.from_day
        and months.as_of < coalesce(stretches.to_day, date '9999-12-31')
    where stretches.is_billed
        and stretches.status = 'Active'
),

use_days as (
    select days.organization_id, days.usage_date, months.month
    from (select distinct organization_id, usage_date from license_usage) as days
    asof inner join months
        on months.organization_id = days.organization_id
        and days.usage_date <= months.as_of
),

uses as (
    select
        usage.organization_id,
        usage.holder_type,
        usage.holder_id,
        use_days.month,
        max(usage.usage_date) as last_used_date
    from license_usage as usage
    inner join use_days
        on use_days.organization_id = usage.organization_id
        and use_days.usage_date = usage.usage_date
    where usage.holder_id is not null
    group by usage.organization_id, usage.holder_type, usage.holder_id, use_days.month
),

watched as (
    select
        months.organization_id,
        months.month,
        rosters.holder_type,
        arg_max_null(rosters.usage_observed_since, rosters.snapshot_date) as since
    from months
    inner join internal.roster_days as rosters
        on rosters.organization_id = months.organization_id
        and rosters.snapshot_date <= months.as_of
    group by months.organization_id, months.month, rosters.holder_type
),

-- Use from before the license was assigned was by an earlier holder of the same id.
known as (
    select
        holders.*,
        case when uses.last_used_date >= coalesce(holders.assigned_date, uses.last_used_date) then uses.last_used_date end
            as last_used_date,
        watched.since
    from holders
    asof left join uses
        on uses.organization_id = holders.organization_id
        and uses.holder_type = holders.holder_type
        and uses.holder_id = holders.holder_id
        and uses.month <= holders.month
    left join watched
        on watched.organization_id = holders.organization_id
        and watched.month = holders.month
        and watched.holder_type = holders.holder_type
),

proven as (
    select
        *,
        cast(as_of - last_used_date as integer) as days_since_last_use,
        cast(case
            when since is null then null
            when last_used_date >= since then as_of - last_used_date
            else 1 + as_of - greatest(since, coalesce(assigned_date, since))
        end as integer) as days_unused_proven
    from known
)

select
    proven.month,
    proven.organization_id,
    proven.cost_centre,
    proven.license_type,
    proven.holder_type,
    proven.holder_id,
    proven.name,
    proven.email,
    proven.assigned_date,
    -- last use
    proven.as_of,
    proven.last_used_date,
    proven.days_since_last_use,
    -- how sure
    proven.days_unused_proven,
    case
        when proven.since is null and proven.last_used_date is null then 'unknown'
        when proven.since is null then 'at most'
        when proven.last_used_date is not null then 'exact'
        else 'at least'
    end as certainty,
    coalesce(proven.days_unused_proven >= 30, false) as is_unused,
    prices.price
from proven
left join internal.prices_by_day as prices
    on prices.organization_id = proven.organization_id
    and prices.license_type = proven.license_type
    and prices.day = proven.as_of
where coalesce(proven.days_since_last_use >= 30, true)
    and coalesce(proven.as_of - proven.assigned_date >= 29, true)
