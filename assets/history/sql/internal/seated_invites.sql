-- One row per invite, member who makes it no second seat, and stretch of that member.
-- Answers: whose seat is it already? The member's who has its address; and since somebody has accepted it, theirs, though
-- they may have left since: it is pending no more, whatever the list says.
-- reads: internal.invite_links, internal.told_stretches
with

members as (
    select organization_id, holder_id, lower(email) as address, assigned_at, valid_from, valid_to
    from internal.told_stretches
    where holder_type = 'user'
),

invites as (
    select distinct organization_id, holder_id as invite_id, lower(email) as address
    from internal.told_stretches
    where holder_type = 'invite'
)

select invites.organization_id, invites.invite_id, invites.address, members.valid_from, members.valid_to
from invites
inner join members
    on members.organization_id = invites.organization_id
    and members.address = invites.address
union
select links.organization_id, links.invite_id, null, min(members.valid_from), null
from internal.invite_links as links
inner join members
    on members.organization_id = links.organization_id
    and members.holder_id = links.holder_id
    and members.assigned_at is not distinct from links.assigned_at
group by links.organization_id, links.invite_id
order by all
