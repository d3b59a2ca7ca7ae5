-- One row per holder (member, API key, pending invite) at the close of the observation's day, out of the raw rosters:
-- what the API said of it, before anything is looked up. Both shapes of API keys are read.
-- Answers: who held a license when the day closed, in the API's own words?
-- reads: activities, observation, raw_api_keys, raw_invites, raw_users
with

members as (
    select distinct on (id) raw_users.*, day
    from raw_users, observation
    where added_at is null or added_at < day_end
),

api_keys as (
    select distinct on (id)
        raw_api_keys.* exclude (workspace_id),
        day,
        -- the deprecated field beside a scope is null for the default workspace and for no workspace alike
        case when scope.type = 'organization' then null else coalesce(scope.workspace_id, workspace_id) end as workspace_id,
        case
            when scope.type = 'organization' then 'organization'
            when scope.type = 'workspace' or coalesce(scope.workspace_id, workspace_id) is not null then 'workspace'
        end as key_scope,
        coalesce(principal.type, created_by.type) as owner_shape,
        coalesce(principal.user_id, principal.service_account_id, principal.id, created_by.user_id,
                 created_by.service_account_id, created_by.id) as owner_id
    from raw_api_keys, observation
    where created_at is null or created_at < day_end
),

-- Whoever ended an invite after the day was over: the list says it of acceptances, the feed of all of them. A member who
-- was added under its address after the day was over has accepted it then.
ended_later as (
    select invite_id as id
    from activities, observation
    where type in ('org_user_invite_accepted', 'org_user_invite_deleted', 'org_user_invite_rejected')
        and created_at >= day_end
    union
    select raw_invites.id
    from raw_invites
    cross join observation
    left join raw_users
        on lower(raw_users.email) = lower(raw_invites.email)
        and raw_users.added_at >= day_end
    where case raw_invites.status
        when 'accepted' then coalesce(raw_invites.accepted_at >= day_end, raw_users.id is not null)
        when 'expired' then raw_invites.expires_at >= day_end and raw_invites.expires_at <= observation.observed_at
    end
),

invites as (
    select distinct on (id)
        raw_invites.* replace (case when ended_later.id is null then raw_invites.status else 'pending' end as status),
        observation.day
    from raw_invites
    cross join observation
    left join ended_later on ended_later.id = raw_invites.id
    where (raw_invites.status not in ('accepted', 'expired', 'deleted') or ended_later.id is not null)
        and (invited_at is null or invited_at < day_end)
        and not coalesce(expires_at < day_end, false)
)

select
    day,
    'user' as holder_type,
    id as holder_id,
    role,
    null as status_raw,
    name,
    email,
    null as owner_id,
    null as owner_shape,
    null as workspace_id,
    null as key_scope,
    null as key_hint,
    cast(null as timestamptz) as expires_at,
    added_at as assigned_at
from members
union all
select
    day,
    'api_key',
    id,
    null,
    status,
    name,
    null,
    owner_id,
    owner_shape,
    workspace_id,
    key_scope,
    partial_key_hint,
    expires_at,
    created_at
from api_keys
union all
select
    day,
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
    null,
    invited_at
from invites
