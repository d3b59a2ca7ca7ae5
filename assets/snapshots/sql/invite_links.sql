-- One row per day and member whose accepted invite is known: by the invite's own `accepted_at`, else by the Activity Feed, else
-- by its address. An invite brought one member, and a member came by one invite: the latest at or before `added_at`.
-- Answers: by which invite did a member come?
-- reads: activities, holders, raw_invites
with

members as (
    select
        day,
        holder_id,
        lower(email) as address,
        assigned_at as added_at,
        epoch_us(assigned_at) // 60000000 as added_in
    from holders
    where holder_type = 'user' and assigned_at is not null
),

invites as (
    select distinct on (id) id, lower(email) as address, status, invited_at, expires_at, accepted_at
    from raw_invites
),

-- An invite three times, once for each minute in which the member may have been added whom it brought: members are too
-- many to be compared with each.
accepted_in as (
    select *, unnest([-1, 0, 1]) + epoch_us(accepted_at) // 60000000 as minute
    from invites
    where accepted_at is not null
),

-- 1. accepted in the minute in which the member was added; where that fits several, the same address decides
accepted_then as (
    select
        members.day,
        invites.id as invite_id,
        members.holder_id,
        invites.accepted_at as moment,
        invites.address is not distinct from members.address as same_address,
        count(*) over (partition by members.day, invites.id) = 1
            and count(*) over (partition by members.day, members.holder_id) = 1 as is_alone
    from accepted_in as invites
    inner join members
        on members.added_in = invites.minute
        and invites.accepted_at between members.added_at - interval 1 minute and members.added_at + interval 1 minute
),

by_acceptance as (
    select day, invite_id, holder_id, moment, 1 as rank
    from accepted_then
    where same_address or is_alone
),

-- 2. whom the feed names as the one who accepted it; long before, it was an earlier membership
by_feed as (
    select members.day, activities.invite_id, members.holder_id, activities.created_at as moment, 2 as rank
    from activities
    inner join members
        on members.holder_id = activities.actor.user_id
        and activities.created_at between members.added_at - interval 1 day and members.added_at + interval 1 minute
    where activities.type = 'org_user_invite_accepted' and activities.invite_id is not null
),

-- 3. an accepted invite to the member's address that was open when they were added
by_address as (
    select members.day, invites.id as invite_id, members.holder_id, invites.invited_at as moment, 3 as rank
    from invites
    inner join members
        on members.address = invites.address
        and members.added_at >= invites.invited_at
        and members.added_at <= coalesce(invites.expires_at + interval 1 minute, members.added_at)
    where invites.status = 'accepted'
        -- accepted on another day, it was another membership
        and coalesce(abs(epoch(invites.accepted_at - members.added_at)) <= 86400, true)
),

candidates as (
    select * from by_acceptance
    union all
    select * from by_feed
    union all
    select * from by_address
),

-- each invite goes to the member with the better reason, each member takes the best and latest of what is left
of_invites as (
    select *
    from candidates
    qualify row_number() over (partition by day, invite_id order by rank, moment desc, holder_id) = 1
)

select day, invite_id, holder_id
from of_invites
qualify row_number() over (partition by day, holder_id order by rank, moment desc, invite_id) = 1
