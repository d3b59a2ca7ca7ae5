-- One row per holder: what each organization's last snapshot shows. Answers: who holds what now, and when was it used?
-- Of a roster that the last snapshot could not read, the last one that did: is_observed says so, as_of is its day.
-- reads: internal.roster_days, license_history, license_snapshots, snapshot_log
with

last_days as (
    select organization_id, max(snapshot_date) as snapshot_date
    from snapshot_log
    group by organization_id
)

select
    last_days.snapshot_date,
    holders.organization_id,
    holders.organization_name,
    holders.holder_type,
    holders.holder_id,
    holders.license_type,
    history.takes_seat,
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
    -- use
    holders.last_used_at,
    holders.last_used_precision,
    holders.last_used_source,
    holders.last_used_state,
    holders.usage_observed_since,
    holders.usage_observed_until,
    -- how we know
    holders.snapshot_date = last_days.snapshot_date as is_observed,
    holders.snapshot_date as as_of,
    holders.provenance,
    holders.observed_at,
    holders.run_id
from license_snapshots as holders
inner join internal.roster_days as days
    on days.organization_id = holders.organization_id
    and days.holder_type = holders.holder_type
    and days.snapshot_date = holders.snapshot_date
    and days.next_date is null
inner join license_history as history
    on history.organization_id = holders.organization_id
    and history.holder_type = holders.holder_type
    and history.holder_id = holders.holder_id
    and history.is_current
inner join last_days on last_days.organization_id = holders.organization_id
order by holders.organization_id, holders.holder_type, holders.holder_id
