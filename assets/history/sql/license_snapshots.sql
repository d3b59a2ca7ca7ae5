-- One row per holder and snapshot day. Answers: what stood in that day's snapshot, and what is known now of its use?
-- As the Parquet files, but for what is known better now: the use, the license type (mapped by today's table), and what
-- was looked up in a list that could not be read that day (the value last known; owner_as_of and workspace_as_of say
-- when). The files keep what was said then.
-- reads: internal.roster_days, license_history, license_usage
create view license_snapshots as
with

-- Use by whoever held the license then: use from before it was assigned was by an earlier holder of the same id.
spells as (
    select distinct organization_id, holder_type, holder_id, coalesce(epoch_us(assigned_at), 0) as assigned_us
    from license_history
),

uses as (
    select
        usage.organization_id,
        usage.holder_type,
        usage.holder_id,
        spells.assigned_us,
        usage.usage_date,
        usage.used_at,
        usage.source
    from license_usage as usage
    inner join spells
        on spells.organization_id = usage.organization_id
        and spells.holder_type = usage.holder_type
        and spells.holder_id = usage.holder_id
    where coalesce(
        epoch_us(usage.used_at) >= spells.assigned_us,
        usage.usage_date >= cast(make_timestamp(spells.assigned_us) as date)
    )
    qualify row_number() over (
        partition by usage.organization_id, usage.holder_type, usage.holder_id, spells.assigned_us, usage.usage_date
        order by usage.used_at desc nulls last, usage.source
    ) = 1
)

select
    days.snapshot_date,
    history.organization_id,
    days.organization_name,
    history.holder_type,
    history.holder_id,
    history.license_type,
    history.role,
    history.status,
    history.status_raw,
    history.name,
    history.email,
    -- owner
    history.owner_user_id,
    history.owner_email,
    history.owner_type,
    history.owner_status,
    days.owner_as_of,
    history.workspace_id,
    history.workspace_name,
    days.workspace_as_of,
    history.key_scope,
    history.key_hint,
    history.expires_at,
    history.assigned_at,
    history.invite_id,
    -- use; a day's use is shown as its 00:00 UTC, whatever the session's time zone
    coalesce(uses.used_at, make_timestamptz(epoch_us(uses.usage_date))) as last_used_at,
    case
        when uses.used_at is not null then 'second'
        when uses.usage_date is not null then 'day'
    end as last_used_precision,
    uses.source as last_used_source,
    case
        when uses.usage_date is not null then 'used'
        when watches.is_watched then 'never_seen'
        when days.is_looked_at then 'not_seen'
        else 'unknown'
    end as last_used_state,
    case when watches.is_watched then days.usage_observed_since end as usage_observed_since,
    case when watches.is_watched then days.usage_observed_until end as usage_observed_until,
    -- how we know
    days.provenance,
    days.observed_at,
    days.run_id
from license_history as history
inner join internal.roster_days as days
    on days.organization_id = history.organization_id
    and days.holder_type = history.holder_type
    and days.snapshot_date >= history.valid_from
    and days.snapshot_date < coalesce(history.valid_to, date '9999-12-31')
-- who was assigned after what the sources have reached was watched by none
cross join lateral (
    select coalesce(
        cast(make_timestamp(epoch_us(history.assigned_at)) as date) <= days.usage_observed_until,
        days.usage_observed_until is not null
    ) as is_watched
) as watches
asof left join uses
    on uses.organization_id = history.organization_id
    and uses.holder_type = history.holder_type
    and uses.holder_id = history.holder_id
    and uses.assigned_us = coalesce(epoch_us(history.assigned_at), 0)
    and uses.usage_date <= days.snapshot_date
