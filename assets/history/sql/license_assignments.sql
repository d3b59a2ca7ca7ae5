-- One row per holder: what each organization's last snapshot shows. Answers: who holds what now, and when was it used?
-- Of a roster that the last snapshot could not read, the last one that did: is_observed says so, as_of is its day.
-- The last use is looked up as license_snapshots does it, which as a view of all days would have to make them all.
-- reads: internal.holder_uses, internal.roster_days, internal.usage_dates, license_history, snapshot_log
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
looked_up as (
    select
        holders.*,
        uses.source,
        uses.sources,
        uses.told_before,
        bit_position('1'::bit, coalesce(uses.days_told, uses.days) & dates.up_to) - 1 as last_bit,
        dates.bit,
        coalesce(
            list_filter(uses.moments, lambda moment: moment.usage_date <= holders.as_of)[-1], uses.moment_before
        ) as any_moment
    from holders
    left join internal.usage_dates as dates on dates.usage_date = holders.as_of
    left join (
        select *
        from internal.holder_uses
        -- of years of eras only these are looked at
        semi join (
            select dates.era
            from internal.usage_dates as dates
            semi join holders on holders.as_of = dates.usage_date
        ) using (era)
    ) as uses
        on uses.organization_id = holders.organization_id
        and uses.holder_type = holders.holder_type
        and uses.holder_id = holders.holder_id
        and uses.era = dates.era
),

dated as (
    select
        *,
        case when last_bit >= 0 then as_of - (last_bit - bit) else told_before.usage_date end as any_day,
        case when used_since_assigned(null, any_day, assigned_at) then any_day end as last_day,
        case when used_since_assigned(any_moment.used_at, any_moment.usage_date, assigned_at) then any_moment end
            as last_moment
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
    takes_seat,
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
    last_used_state(is_used, is_watched, is_looked_at) as last_used_state,
    usage_observed_since,
    usage_observed_until,
    -- how we know
    as_of = snapshot_date as is_observed,
    as_of,
    provenance,
    observed_at,
    run_id
from used
order by organization_id, holder_type, holder_id
