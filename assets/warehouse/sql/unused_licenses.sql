-- One row per active holder, as of the last day on which its roster is known.
-- Answers: who has not used the license, for how long, and how sure is that?
with

last_days as (
    select organization_id, holder_type, snapshot_date as as_of, usage_observed_since
    from internal.roster_days
    where next_date is null
),

holders as (
    select
        history.*,
        rules.takes_seat,
        last_days.as_of,
        last_days.usage_observed_since,
        cast(make_timestamp(epoch_us(history.assigned_at)) as date) as assigned_date
    from license_history as history
    inner join internal.seat_rules as rules
        on rules.holder_type = history.holder_type
        and rules.license_type = history.license_type
        and rules.role is not distinct from history.role
        and rules.status = history.status
    inner join last_days
        on last_days.organization_id = history.organization_id
        and last_days.holder_type = history.holder_type
    where history.is_current
        and history.status = 'Active'
),

-- Use from before the license was assigned was by an earlier holder of the same id.
uses as (
    select
        usage.organization_id,
        usage.holder_type,
        usage.holder_id,
        max((usage.usage_date, coalesce(epoch_us(usage.used_at), -1))) as latest
    from license_usage as usage
    inner join holders
        on holders.organization_id = usage.organization_id
        and holders.holder_type = usage.holder_type
        and holders.holder_id = usage.holder_id
    where usage.usage_date <= holders.as_of
        and coalesce(usage.used_at >= holders.assigned_at, usage.usage_date >= holders.assigned_date, true)
    group by usage.organization_id, usage.holder_type, usage.holder_id
),

last_uses as (
    select
        uses.organization_id,
        uses.holder_type,
        uses.holder_id,
        usage.usage_date as last_used_date,
        usage.used_at,
        min(usage.source) as last_used_source
    from uses
    inner join license_usage as usage
        on usage.organization_id = uses.organization_id
        and usage.holder_type = uses.holder_type
        and usage.holder_id = uses.holder_id
        and (usage.usage_date, coalesce(epoch_us(usage.used_at), -1)) = uses.latest
    group by uses.organization_id, uses.holder_type, uses.holder_id, usage.usage_date, usage.used_at
)

select
    holders.organization_id,
    holders.organization_name,
    holders.holder_type,
    holders.holder_id,
    holders.license_type,
    holders.takes_seat,
    holders.name,
    holders.email,
    holders.owner_email,
    holders.workspace_name,
    holders.assigned_at,
    -- last use
    holders.as_of,
    last_uses.last_used_date,
    coalesce(last_uses.used_at, make_timestamptz(epoch_us(last_uses.last_used_date))) as last_used_at,
    case
        when last_uses.used_at is not null then 'second'
        when last_uses.last_used_date is not null then 'day'
    end as last_used_precision,
    last_uses.last_used_source,
    cast(holders.as_of - last_uses.last_used_date as integer) as days_since_last_use,
    -- how sure
    case
        when last_uses.last_used_date is not null then 'used'
        when holders.usage_observed_since is not null then 'never_seen'
        else 'unknown'
    end as last_used_state,
    holders.usage_observed_since,
    -- what is proven: a source watched on all these days and saw nothing
    cast(case
        when holders.usage_observed_since is null then null
        when last_uses.last_used_date >= holders.usage_observed_since then holders.as_of - last_uses.last_used_date
        else 1 + holders.as_of - greatest(holders.usage_observed_since, coalesce(holders.assigned_date, holders.usage_observed_since))
    end as integer) as days_unused_proven,
    case
        when holders.usage_observed_since is null and last_uses.last_used_date is null then 'unknown'
        when holders.usage_observed_since is null then 'at most'
        when last_uses.last_used_date is not null then 'exact'
        else 'at least'
    end as certainty
from holders
left join last_uses
    on last_uses.organization_id = holders.organization_id
    and last_uses.holder_type = holders.holder_type
    and last_uses.holder_id = holders.holder_id
order by
    holders.organization_id,
    days_since_last_use desc nulls first,
    holders.holder_type,
    holders.holder_id
