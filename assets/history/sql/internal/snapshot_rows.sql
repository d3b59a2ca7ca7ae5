-- One row per holder and snapshot day. Answers: what stood in that day's snapshot, but for use?
-- reads: internal.roster_days, license_history
create view internal.snapshot_rows as
select
    days.snapshot_date,
    history.organization_id,
    days.organization_name,
    history.holder_type,
    history.holder_id,
    history.license_type,
    history.takes_seat,
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
    days.is_looked_at,
    days.next_date is null as is_last
from license_history as history
inner join internal.roster_days as days
    on days.organization_id = history.organization_id
    and days.holder_type = history.holder_type
    and days.snapshot_date >= history.valid_from
    and days.snapshot_date < coalesce(history.valid_to, date '9999-12-31')
