-- One row per day on which something else begins or ends than before, of whom history was made again; none, where nothing
-- is taken over. Answers: on which days may others have moved than before?
-- reads: internal.invite_links, internal.license_stretches, temp.changed_holders, temp.known_invite_links,
--     temp.known_license_stretches
create or replace temp table changed_days as
with

-- Of a stretch that begins and ends as before, whether it takes a seat is all that may be derived otherwise now.
bounds as (
    select organization_id, holder_type, holder_id, takes_seat, unnest([(valid_from, true), (valid_to, false)]) as bound
    from internal.license_stretches
    semi join temp.changed_holders using (organization_id, holder_type, holder_id)
),

known_bounds as (
    select organization_id, holder_type, holder_id, takes_seat, unnest([(valid_from, true), (valid_to, false)]) as bound
    from temp.known_license_stretches
    semi join temp.changed_holders using (organization_id, holder_type, holder_id)
),

moved as (
    (from bounds except from known_bounds)
    union all
    (from known_bounds except from bounds)
),

-- Who accepted an invite decides what its end was.
links as (
    (from internal.invite_links except from temp.known_invite_links)
    union all
    (from temp.known_invite_links except from internal.invite_links)
),

days as (
    select bound[1] as event_date
    from moved
    union
    select invites.valid_to
    from internal.license_stretches as invites
    semi join links
        on links.organization_id = invites.organization_id
        and links.invite_id = invites.holder_id
    where invites.holder_type = 'invite'
)

select *
from days
where event_date is not null
    and getvariable('amends')
