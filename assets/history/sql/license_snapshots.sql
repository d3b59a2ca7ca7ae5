-- One row per holder and snapshot day. Answers: what stood in that day's snapshot, and what is known now of its use?
-- As the Parquet files, but for what is known better now: the use, the license type (mapped by today's table), and what
-- was looked up in a list that could not be read that day (the value last known; owner_as_of and workspace_as_of say
-- when). The files keep what was said then.
-- reads: internal.holder_uses, internal.roster_days, internal.usage_dates, license_history
create view license_snapshots as
with

holders as (
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
        -- how we know
        days.provenance,
        days.observed_at,
        days.run_id,
        -- who was assigned after what the sources have reached was watched by none
        case when coalesce(cast(make_timestamp(epoch_us(history.assigned_at)) as date) <= days.usage_observed_until, true)
            then days.usage_observed_since
        end as usage_observed_since,
        case when coalesce(cast(make_timestamp(epoch_us(history.assigned_at)) as date) <= days.usage_observed_until, true)
            then days.usage_observed_until
        end as usage_observed_until,
        days.is_looked_at
    from license_history as history
    inner join internal.roster_days as days
        on days.organization_id = history.organization_id
        and days.holder_type = history.holder_type
        and days.snapshot_date >= history.valid_from
        and days.snapshot_date < coalesce(history.valid_to, date '9999-12-31')
),

-- Use by whoever held the license then: use from before it was assigned was by an earlier holder of the same id.
looked_up as (
    select
        holders.*,
        dates.bit,
        uses.source,
        uses.sources,
        uses.told_before,
        -- the latest day up to this one: its bit is the first of those that are left
        bit_position('1'::bit, coalesce(uses.days_told, uses.days) & dates.up_to) - 1 as last_bit,
        coalesce(
            list_filter(uses.moments, lambda moment: moment.usage_date <= holders.snapshot_date)[-1], uses.moment_before
        ) as any_moment
    from holders
    left join internal.usage_dates as dates on dates.usage_date = holders.snapshot_date
    left join internal.holder_uses as uses
        on uses.organization_id = holders.organization_id
        and uses.holder_type = holders.holder_type
        and uses.holder_id = holders.holder_id
        and uses.era = dates.era
),

dated as (
    select
        *,
        case when last_bit >= 0 then snapshot_date - (last_bit - bit) else told_before.usage_date end as any_day,
        case
            when any_day >= cast(make_timestamp(epoch_us(assigned_at)) as date) or assigned_at is null then any_day
        end as last_day,
        case
            when epoch_us(any_moment.used_at) >= epoch_us(assigned_at) or assigned_at is null then any_moment
        end as last_moment
    from looked_up
),

used as (
    select
        *,
        coalesce(last_moment.usage_date >= last_day, last_moment.usage_date is not null) as is_moment,
        coalesce(last_moment.usage_date, last_day) is not null as is_used
    from dated
)

select
    snapshot_date,
    organization_id,
    organization_name,
    holder_type,
    holder_id,
    license_type,
    role,
    status,
    status_raw,
    name,
    email,
    -- owner
    owner_user_id,
    owner_email,
    owner_type,
    owner_status,
    owner_as_of,
    workspace_id,
    workspace_name,
    workspace_as_of,
    key_scope,
    key_hint,
    expires_at,
    assigned_at,
    invite_id,
    -- use; a day's use is shown as its 00:00 UTC, whatever the session's time zone
    case when is_moment then last_moment.used_at else make_timestamptz(epoch_us(last_day)) end as last_used_at,
    case
        when is_moment then 'second'
        when is_used then 'day'
    end as last_used_precision,
    case
        when is_moment then last_moment.source
        when not is_used then null
        when last_bit >= 0 and sources is not null
            then list_filter(sources, lambda told: get_bit(told.days, last_bit) = 1)[1].source
        when last_bit >= 0 then source
        else told_before.source
    end as last_used_source,
    case
        when is_used then 'used'
        when usage_observed_until is not null then 'never_seen'
        when is_looked_at then 'not_seen'
        else 'unknown'
    end as last_used_state,
    usage_observed_since,
    usage_observed_until,
    -- how we know
    provenance,
    observed_at,
    run_id
from used
