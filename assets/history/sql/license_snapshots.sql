-- One row per holder and snapshot day. Answers: what stood in that day's snapshot, and what is known now of its use?
-- As the Parquet files, but for what is known better now: the use, the license type (mapped by today's table), and what
-- was looked up in a list that could not be read that day (the value last known; owner_as_of and workspace_as_of say
-- when). The files keep what was said then.
-- reads: internal.snapshots_used
create view license_snapshots as
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
    -- use
    last_used_at,
    last_used_precision,
    last_used_source,
    last_used_state,
    usage_observed_since,
    usage_observed_until,
    -- how we know
    provenance,
    observed_at,
    run_id
from internal.snapshots_used
