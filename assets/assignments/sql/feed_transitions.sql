-- One row per change that the Activity Feed tells of a member, a key's attribute or an invite: what was before, what after.
-- A member's `absent` stands for "not in the organization"; a value of null with `known` false is one that the feed
-- does not tell. Reports of one and the same removal (or addition) within an hour count once.
with

told as (
    select
        id,
        created_at as at,
        type,
        coalesce(user_id, deleted_user_id, case when type = 'org_user_left' then actor.user_id end) as user_id,
        coalesce(user_email, deleted_user_email, case when type = 'org_user_left' then actor.email_address end) as email,
        previous_role,
        current_role as current_role_
    from activities
),

member_reports as (
    select
        id,
        at,
        user_id,
        email,
        case
            when type = 'scim_user_created' then 'absent'
            when type = 'claude_user_role_updated' then coalesce(previous_role, 'absent')
            else previous_role
        end as before,
        case
            when type = 'claude_user_role_updated' then coalesce(current_role_, 'absent')
            when type <> 'scim_user_created' then 'absent'
        end as after
    from told
    where type in ('claude_user_role_updated', 'org_user_deleted', 'org_user_left', 'scim_user_created', 'scim_user_deleted')
        and user_id is not null
),

numbered as (
    select
        *,
        case
            when after = 'absent' then 'removal'
            when before = 'absent' then 'addition'
            else 'change'
        end as kind
    from member_reports
),

-- a report starts a new transition unless it repeats the kind of the one before it, soon after
marked as (
    select
        *,
        case
            when kind = 'change' then 1
            when lag(kind) over reports = kind and at - lag(at) over reports <= interval 1 hour then 0
            else 1
        end as starts
    from numbered
    window reports as (partition by user_id order by at, id)
),

grouped as (
    select *, sum(starts) over (partition by user_id order by at, id) as transition
    from marked
),

members as (
    select
        'user' as holder_type,
        user_id as holder_id,
        'role' as attribute,
        min(at) as at,
        min(id) as id,
        max(before) as before,
        max(after) as after,
        max(email) as email
    from grouped
    group by user_id, transition
),

keys as (
    select
        'api_key' as holder_type,
        api_key_id as holder_id,
        change.type as attribute,
        at,
        id,
        change.previous_value as before,
        change.current_value as after
    from (
        select id, created_at as at, api_key_id, unnest(updates) as change
        from activities
        where type = 'platform_api_key_updated' and api_key_id is not null
    )
    where change.type in ('name', 'status', 'workspace')
),

invites as (
    select
        'invite' as holder_type,
        invite_id as holder_id,
        'status' as attribute,
        created_at as at,
        id,
        'pending' as before,
        regexp_extract(type, '[a-z]+$') as after
    from activities
    where type in ('org_user_invite_accepted', 'org_user_invite_deleted', 'org_user_invite_rejected')
        and invite_id is not null
)

select holder_type, holder_id, attribute, at, id, before, after, before is not null as before_known, after is not null as after_known, email
from members
union all
select holder_type, holder_id, attribute, at, id, before, after, true, true, null
from keys
union all
select holder_type, holder_id, attribute, at, id, before, after, true, true, null
from invites
order by holder_type, holder_id, attribute, at, id
