-- One row per holder: what each organization's last snapshot shows. Answers: who holds what now, and when was it used?
-- Of a roster that the last snapshot could not read, the last one that did: is_observed says so, as_of is its day.
-- reads: internal.roster_days, license_history, license_usage, snapshot_log
with

last_days as (
    select organization_id, max(snapshot_date) as snapshot_date
    from snapshot_log
    group by organization_id
),

holders as (
    select
        history.*,
        last_days.snapshot_date,
        days.snapshot_date as as_of,
        days.owner_as_of,
        days.workspace_as_of,
        days.provenance,
        days.observed_at,
        days.run_id,
        days.is_looked_at,
        cast(make_timestamp(epoch_us(history.assigned_at)) as date) as assigned_date,
        -- who was assigned after what the sources have reached was watched by none
        coalesce(assigned_date <= days.usage_observed_until, days.usage_observed_until is not null) as is_watched,
        case when is_watched then days.usage_observed_since end as usage_observed_since,
        case when is_watched then days.usage_observed_until end as usage_observed_until
    from license_history as history
    inner join internal.roster_days as days
        on days.organization_id = history.organization_id
        and days.holder_type = history.holder_type
        and days.next_date is null
    inner join last_days on last_days.organization_id = history.organization_id
    where history.is_current
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
        and used_since_assigned(usage.used_at, usage.usage_date, holders.assigned_at)
    group by usage.organization_id, usage.holder_type, usage.holder_id
),

last_uses as (
    select
        uses.organization_id,
        uses.holder_type,
        uses.holder_id,
        usage.usage_date,
        usage.used_at,
        min(usage.source) as source
    from uses
    inner join license_usage as usage
        on usage.organization_id = uses.organization_id
        and usage.holder_type = uses.holder_type
        and usage.holder_id = uses.holder_id
        and (usage.usage_date, coalesce(epoch_us(usage.used_at), -1)) = uses.latest
    group by uses.organization_id, uses.holder_type, uses.holder_id, usage.usage_date, usage.used_at
)

select
    holders.snapshot_date,
    holders.organization_id,
    holders.organization_name,
    holders.holder_type,
    holders.holder_id,
    holders.license_type,
    holders.takes_seat,
    holders.role,
    holders.status,
    holders.status_raw,
    holders.name,
    holders.email,
    -- owner
    holders.owner_user_id,
    holders.owner_email,
    holders.owner_type,
    holders.owner_status,
    holders.owner_as_of,
    holders.workspace_id,
    holders.workspace_name,
    holders.workspace_as_of,
    holders.key_scope,
    holders.key_hint,
    holders.expires_at,
    holders.assigned_at,
    holders.invite_id,
    -- use; a day's use is shown as its 00:00 UTC, whatever the session's time zone
    coalesce(last_uses.used_at, make_timestamptz(epoch_us(last_uses.usage_date))) as last_used_at,
    case
        when last_uses.used_at is not null then 'second'
        when last_uses.usage_date is not null then 'day'
    end as last_used_precision,
    last_uses.source as last_used_source,
    last_used_state(last_uses.usage_date is not null, holders.is_watched, holders.is_looked_at) as last_used_state,
    holders.usage_observed_since,
    holders.usage_observed_until,
    -- how we know
    holders.as_of = holders.snapshot_date as is_observed,
    holders.as_of,
    holders.provenance,
    holders.observed_at,
    holders.run_id
from holders
left join last_uses
    on last_uses.organization_id = holders.organization_id
    and last_uses.holder_type = holders.holder_type
    and last_uses.holder_id = holders.holder_id
order by holders.organization_id, holders.holder_type, holders.holder_id
