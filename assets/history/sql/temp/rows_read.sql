-- One row per holder and day of the days to read, as it was told.
-- Answers: what do the days say that are read for this warehouse? All days, or those that are new or replaced since the
-- last one.
-- reads: inputs.snapshots
select
    organization_id,
    snapshot_date,
    holder_type,
    holder_id,
    -- a license type that a file told without a role; else it follows the role
    case when role is null and holder_type <> 'api_key' then license_type end as license_told,
    role,
    status,
    status_raw,
    name,
    email,
    owner_user_id,
    owner_email,
    owner_type,
    owner_status,
    workspace_id,
    workspace_name,
    key_scope,
    key_hint,
    expires_at,
    assigned_at,
    invite_id
from inputs.snapshots
