-- One row per holder whose row for a day changes when the day's snapshot is replaced: what it was before.
-- `was_there` and `is_there` say whether the holder stood in the old and stands in the new version.
-- Answers: what did a replaced version of a day say that the new one does not?
-- reads: license_assignments, published_snapshot
with

before as (
    select * from published_snapshot
),

after as (
    select * from license_assignments
)

select
    coalesce(before.holder_type, after.holder_type) as holder_type,
    coalesce(before.holder_id, after.holder_id) as holder_id,
    cast($restated_at as timestamptz) as restated_at,
    before.holder_id is not null as was_there,
    after.holder_id is not null as is_there,
    -- Not knowing is no change, nor is another shape of the answer, or another name of the organization.
    before.holder_id is null
    or after.holder_id is null
    or (
        before.license_type, before.role, before.status, before.status_raw, before.name, before.email,
        before.owner_user_id, before.owner_type, before.key_hint, before.expires_at, before.assigned_at
    ) is distinct from (
        after.license_type, after.role, after.status, after.status_raw, after.name, after.email,
        after.owner_user_id, after.owner_type, after.key_hint, after.expires_at, after.assigned_at
    )
    or (
        coalesce(before.owner_status <> 'unknown' and after.owner_status <> 'unknown', false)
        and (before.owner_status, before.owner_email) is distinct from (after.owner_status, after.owner_email)
    )
    or coalesce(before.workspace_id <> after.workspace_id, false)
    or coalesce(before.key_scope <> after.key_scope, false)
    or (
        before.workspace_id is not distinct from after.workspace_id
        and coalesce(before.workspace_name <> after.workspace_name, false)
    ) as is_change,
    before.organization_name,
    before.license_type,
    before.role,
    before.status,
    before.status_raw,
    before.name,
    before.email,
    before.owner_user_id,
    before.owner_email,
    before.owner_type,
    before.owner_status,
    before.workspace_id,
    before.workspace_name,
    before.key_scope,
    before.key_hint,
    before.expires_at,
    before.assigned_at
from before
full join after
    on after.holder_type = before.holder_type
    and after.holder_id = before.holder_id
where before.holder_id is null
    or after.holder_id is null
    or (
        before.organization_name, before.license_type, before.role, before.status, before.status_raw, before.name,
        before.email, before.owner_user_id, before.owner_email, before.owner_type, before.owner_status,
        before.workspace_id, before.workspace_name, before.key_scope,
        before.key_hint, before.expires_at, before.assigned_at
    ) is distinct from (
        after.organization_name, after.license_type, after.role, after.status, after.status_raw, after.name,
        after.email, after.owner_user_id, after.owner_email, after.owner_type, after.owner_status,
        after.workspace_id, after.workspace_name, after.key_scope,
        after.key_hint, after.expires_at, after.assigned_at
    )
order by holder_type, holder_id
