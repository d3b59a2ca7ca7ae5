-- One row per holder (member, API key, pending invite) at the close of the observation's day, out of the raw rosters:
-- what the API said of it, before anything is looked up. Both shapes of API keys are read.
with

members as (
    select distinct on (id) raw_users.*
    from raw_users, observation
    where added_at is null or added_at < day_end
),

api_keys as (
    select distinct on (id)
        raw_api_keys.* exclude (workspace_id),
        coalesce(scope.workspace_id, workspace_id) as workspace_id,
        coalesce(principal.type, created_by.type) as owner_shape,
        coalesce(principal.user_id, principal.service_account_id, principal.id, created_by.user_id,
                 created_by.service_account_id, created_by.id) as owner_id
    from raw_api_keys, observation
    where created_at is null or created_at < day_end
),

invites as (
    select distinct on (id) raw_invites.*
    from raw_invites, observation
    where status not in ('accepted', 'expired', 'deleted')
        and (invited_at is null or invited_at < day_end)
)

select
    'user' as holder_type,
    id as holder_id,
    role,
    null as status_raw,
    name,
    email,
    null as owner_id,
    null as owner_shape,
    null as workspace_id,
    null as key_hint,
    cast(null as timestamptz) as expires_at,
    added_at as assigned_at
from members
union all
select
    'api_key',
    id,
    null,
    status,
    name,
    null,
    owner_id,
    owner_shape,
    workspace_id,
    partial_key_hint,
    expires_at,
    created_at
from api_keys
union all
select
    'invite',
    id,
    role,
    status,
    null,
    email,
    null,
    null,
    null,
    null,
    null,
    invited_at
from invites
