-- One row per organization and calendar day, from the first month in which it is known to the end of the last in which
-- any organization is.
-- Answers: how well is each day known, and what stands in the way of closing the month?
-- reads: finance_closings, internal.counted_days, internal.finance_organizations, internal.roster_days, snapshot_log
with

spans as (
    select
        organization_id,
        min(month) as first_day,
        last_day(max(month)) as last_day,
        min(snapshot_date) as known_since
    from internal.counted_days
    group by organization_id
),

days as (
    select
        organization_id,
        known_since,
        first_day + cast(unnest(range(1 + last_day - first_day)) as integer) as day
    from spans
),

-- A roster that has never been known before is none that is missing; keys matter only where they are billed.
rosters as (
    select
        rosters.organization_id,
        rosters.holder_type,
        min(rosters.snapshot_date) as known_since
    from internal.roster_days as rosters
    inner join internal.finance_organizations as organizations
        on organizations.organization_id = rosters.organization_id
    where rosters.holder_type <> 'api_key'
        or organizations.bills_keys
    group by rosters.organization_id, rosters.holder_type
),

missing as (
    select
        days.organization_id,
        days.day,
        string_agg(
            case rosters.holder_type when 'user' then 'members' when 'invite' then 'invites' else 'API keys' end,
            ', ' order by rosters.holder_type desc
        ) as rosters
    from days
    inner join rosters
        on rosters.organization_id = days.organization_id
        and rosters.known_since <= days.day
    anti join internal.roster_days as known
        on known.organization_id = days.organization_id
        and known.holder_type = rosters.holder_type
        and known.snapshot_date = days.day
    group by days.organization_id, days.day
),

acknowledged as (
    select distinct unnest(acknowledged_gaps) as day
    from finance_closings
)

select
    cast(date_trunc('month', days.day) as date) as month,
    days.organization_id,
    days.day,
    case
        when log.snapshot_date is null and days.day < days.known_since then 'before the first snapshot'
        when log.snapshot_date is null then 'no snapshot'
        when missing.rosters is not null and log.is_final then missing.rosters || ' unknown'
        when missing.rosters is not null then 'provisional, ' || missing.rosters || ' unknown'
        when not log.is_final then 'provisional'
        else 'final'
    end as state,
    coalesce(counted.is_observed, false) as is_counted,
    acknowledged.day is not null as is_acknowledged,
    log.provenance
from days
left join snapshot_log as log
    on log.organization_id = days.organization_id
    and log.snapshot_date = days.day
left join internal.counted_days as counted
    on counted.organization_id = days.organization_id
    and counted.snapshot_date = days.day
left join missing
    on missing.organization_id = days.organization_id
    and missing.day = days.day
left join acknowledged on acknowledged.day = days.day
order by days.organization_id, days.day
