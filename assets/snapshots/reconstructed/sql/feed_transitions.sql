-- One row per change that the Activity Feed tells of a member, a key's attribute or an invite: before and after.
-- A member's `absent` stands for "not in the organization"; where `before_known` or `after_known` is false, the feed does
-- not tell. Reports of one and the same removal (or addition) within an hour count once.
-- Answers: what changed, from what to what, and when?
-- reads: activities
with

reports as (
    select
        id,
        created_at as happened_at,
        coalesce(user_id, deleted_user_id, case when type = 'org_user_left' then actor.user_id end) as user_id,
        coalesce(user_email, deleted_user_email, case when type = 'org_user_left' then actor.email_address end) as email,
        case
            when type = 'scim_user_created' then 'absent'
            when type = 'claude_user_role_updated' then coalesce(previous_role, 'absent')
            else previous_role
        end as before,
        case
            when type = 'claude_user_role_updated' then coalesce(current_role, 'absent')
            when type <> 'scim_user_created' then 'absent'
        end as after
    from activities
    where type in (
        'claude_user_role_updated', 'org_user_deleted', 'org_user_left', 'scim_user_created', 'scim_user_deleted'
    )
),

kinds as (
    select
        *,
        case
            when after = 'absent' then 'removal'
            when before = 'absent' then 'addition'
            else 'change'
        end as kind
    from reports
    where user_id is not null
),

-- a report begins a transition of its own unless it repeats the kind of the one before it, soon after
begun as (
    select
        *,
        case
            when kind = 'change' then 1
            when lag(kind) over of_user = kind and happened_at - lag(happened_at) over of_user <= interval 1 hour then 0
            else 1
        end as begins
    from kinds
    window of_user as (partition by user_id order by happened_at, id)
),

grouped as (
    select *, sum(begins) over (partition by user_id order by happened_at, id) as transition
    from begun
),

members as (
    select
        user_id,
        min(happened_at) as happened_at,
        min(id) as id,
        max(before) as before,
        max(after) as after,
        max(email) as email
    from grouped
    group by user_id, transition
),

key_changes as (
    select id, created_at as happened_at, api_key_id, unnest(updates) as change
    from activities
    where type = 'platform_api_key_updated' and api_key_id is not null
)

select
    'user' as holder_type,
    user_id as holder_id,
    'role' as attribute,
    happened_at,
    id,
    before,
    after,
    before is not null as before_known,
    after is not null as after_known,
    email
from members
union all
select
    'api_key',
    api_key_id,
    change.type,
    happened_at,
    id,
    change.previous_value,
    change.current_value,
    true,
    true,
    null
from key_changes
where change.type in ('name', 'status', 'workspace')
union all
select
    'invite',
    invite_id,
    'status',
    created_at,
    id,
    'pending',
    regexp_extract(type, '[a-z]+$'),
    true,
    true,
    null
from activities
where type in ('org_user_invite_accepted', 'org_user_invite_deleted', 'org_user_invite_rejected')
    and invite_id is not null
