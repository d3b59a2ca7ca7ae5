-- One row per invite that a member accepted. Answers: whose joining does it explain?
-- As the snapshots tell it (by accepted_at, the feed or the address); where they do not, by the address: the member with
-- the invite's address who was added while it stood.
-- reads: internal.told_stretches
with

told as (
    select organization_id, invite_id, arg_min((holder_id, assigned_at), (valid_from, holder_id)) as member
    from internal.told_stretches
    where holder_type = 'user'
        and invite_id is not null
    group by organization_id, invite_id
),

invites as (
    select
        organization_id,
        holder_id as invite_id,
        lower(email) as address,
        min(assigned_at) as invited_at,
        nullif(max(coalesce(valid_to, date '9999-12-31')), date '9999-12-31') as ended_on
    from internal.told_stretches
    where holder_type = 'invite'
        and email is not null
    group by organization_id, holder_id, lower(email)
),

members as (
    select
        organization_id,
        holder_id,
        lower(email) as address,
        assigned_at,
        min(valid_from) as first_day
    from internal.told_stretches
    where holder_type = 'user'
        and email is not null
    group by organization_id, holder_id, lower(email), assigned_at
),

by_address as (
    select invites.organization_id, invites.invite_id, members.holder_id, members.assigned_at
    from invites
    inner join members
        on members.organization_id = invites.organization_id
        and members.address = invites.address
        and members.assigned_at >= invites.invited_at
        and cast(members.assigned_at as date) <= coalesce(invites.ended_on, date '9999-12-31')
    anti join told
        on told.organization_id = invites.organization_id
        and told.invite_id = invites.invite_id
    anti join told as linked
        on linked.organization_id = members.organization_id
        and linked.member[1] = members.holder_id
        and linked.member[2] is not distinct from members.assigned_at
    -- a member came by one invite, the last before, and an invite was accepted once
    qualify row_number() over (
            partition by invites.organization_id, members.holder_id, members.assigned_at
            order by invites.invited_at desc, invites.invite_id
        ) = 1
        and row_number() over (
            partition by invites.organization_id, invites.invite_id order by members.assigned_at, members.holder_id
        ) = 1
)

select organization_id, invite_id, member[1] as holder_id, member[2] as assigned_at
from told
union all
select organization_id, invite_id, holder_id, assigned_at
from by_address
order by organization_id, invite_id
