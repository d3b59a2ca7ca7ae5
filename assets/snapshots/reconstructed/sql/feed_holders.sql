-- One row per holder at the close of each day that is made: the base snapshot rolled back through the Activity Feed.
-- What the feed cannot tell is filled from any observed snapshot of the same holder (`known`), else it is null.
-- Answers: who held a license when an earlier day closed, as the feed leads back to it?
-- reads: base, default_workspace, feed_timeline, feed_transitions, known, observation, raw_invites
with

-- a change at midnight itself belongs to the day that begins with it
as_of as (
    select feed_timeline.*, observation.day
    from feed_timeline, observation
    where (valid_from is null or valid_from < day_end)
        and (valid_to is null or valid_to >= day_end)
),

additions as (
    select observation.day, feed_transitions.holder_id, max(feed_transitions.happened_at) as added_at
    from feed_transitions, observation
    where holder_type = 'user' and before = 'absent' and happened_at < day_end
    group by observation.day, feed_transitions.holder_id
),

told_emails as (
    select holder_id, max(email) as email
    from feed_transitions
    where holder_type = 'user'
    group by holder_id
),

known_assignments as (
    select observation.day, known.holder_id, max(assigned_at) as assigned_at
    from known, observation
    where holder_type = 'user' and assigned_at < day_end
    group by observation.day, known.holder_id
),

known_persons as (
    select
        holder_id,
        arg_max(name, snapshot_date) as name,
        arg_max(email, snapshot_date) as email,
        arg_max(role, snapshot_date) as role
    from known
    where holder_type = 'user'
    group by holder_id
),

member_ids as (
    select holder_id from base where holder_type = 'user'
    union
    select holder_id from feed_timeline where holder_type = 'user'
),

members as (
    select
        observation.day,
        member_ids.holder_id,
        case
            when as_of.holder_id is null then base.role
            when as_of.known then as_of.value
            else known_persons.role
        end as role,
        coalesce(base.name, known_persons.name) as name,
        coalesce(base.email, known_persons.email, told_emails.email) as email,
        case
            when base.assigned_at < observation.day_end then base.assigned_at
            else coalesce(additions.added_at, known_assignments.assigned_at)
        end as assigned_at
    from member_ids
    cross join observation
    left join base on base.holder_type = 'user' and base.holder_id = member_ids.holder_id
    left join as_of
        on as_of.holder_type = 'user'
        and as_of.attribute = 'role'
        and as_of.holder_id = member_ids.holder_id
        and as_of.day = observation.day
    left join additions on additions.holder_id = member_ids.holder_id and additions.day = observation.day
    left join told_emails on told_emails.holder_id = member_ids.holder_id
    left join known_persons on known_persons.holder_id = member_ids.holder_id
    left join known_assignments
        on known_assignments.holder_id = member_ids.holder_id
        and known_assignments.day = observation.day
    where observation.members_known
        and case
            when as_of.holder_id is not null then as_of.value is distinct from 'absent'
            else base.holder_id is not null and coalesce(base.assigned_at < observation.day_end, true)
        end
),

api_keys as (
    select
        observation.day,
        base.holder_id,
        case when statuses.holder_id is null then base.status_raw else statuses.value end as status_raw,
        case when names.holder_id is null then base.name else names.value end as name,
        base.owner_user_id,
        base.owner_type,
        case
            when places.holder_id is null then base.workspace_id
            else coalesce(places.value, (select id from default_workspace))
        end as workspace_id,
        -- the feed moves keys between workspaces; null is the default one, which not every base can name
        case
            when places.holder_id is null then base.key_scope
            when coalesce(places.value, (select id from default_workspace)) is not null then 'workspace'
        end as key_scope,
        base.key_hint,
        base.expires_at,
        base.assigned_at
    from base
    cross join observation
    left join as_of as statuses
        on statuses.attribute = 'status'
        and statuses.holder_type = 'api_key'
        and statuses.holder_id = base.holder_id
        and statuses.day = observation.day
    left join as_of as names
        on names.attribute = 'name'
        and names.holder_type = 'api_key'
        and names.holder_id = base.holder_id
        and names.day = observation.day
    left join as_of as places
        on places.attribute = 'workspace'
        and places.holder_type = 'api_key'
        and places.holder_id = base.holder_id
        and places.day = observation.day
    where base.holder_type = 'api_key'
        and coalesce(base.assigned_at < observation.day_end, true)
),

endings as (
    select holder_id, min(happened_at) as ended_at
    from feed_transitions
    where holder_type = 'invite'
    group by holder_id
),

-- invites as the observation heard them, ended ones too; those that it no longer lists, as an earlier snapshot knew them
invites_heard as (
    select id, role, email, invited_at, expires_at, accepted_at, status
    from raw_invites
    union all
    select holder_id, arg_max(role, snapshot_date), arg_max(email, snapshot_date), max(assigned_at), null, null, null
    from known
    where holder_type = 'invite' and holder_id not in (select id from raw_invites)
    group by holder_id
),

invites as (
    select distinct on (observation.day, invites_heard.id) invites_heard.*, observation.day
    from invites_heard
    cross join observation
    left join endings on endings.holder_id = invites_heard.id
    where observation.invites_known
        and invites_heard.invited_at < observation.day_end
        and coalesce(invites_heard.expires_at >= observation.day_end, true)
        and case
            when endings.ended_at is not null then endings.ended_at >= observation.day_end
            when invites_heard.status = 'accepted' then invites_heard.accepted_at >= observation.day_end
            when invites_heard.status = 'expired' then invites_heard.expires_at >= observation.day_end
            else invites_heard.status = 'pending'
        end
)

select
    day,
    'user' as holder_type,
    holder_id,
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
    assigned_at
from members
union all
select day, 'api_key', holder_id, null, status_raw, name, null, owner_user_id, owner_type, workspace_id, key_scope, key_hint, expires_at, assigned_at
from api_keys
union all
select day, 'invite', id, role, 'pending', null, email, null, null, null, null, null, null, invited_at
from invites
