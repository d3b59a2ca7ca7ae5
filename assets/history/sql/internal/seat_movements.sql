-- One row per day, organization, kind of holder, license type, status and taking a seat or not, where somebody moved.
-- Answers: how many came, went, or changed into and out of it? Read from each holder's neighbouring stretches. An invite
-- that was accepted has changed out of being one: who accepted it is the joiner, and nobody left.
-- reads: internal.invite_links, internal.license_stretches, temp.changed_days
with

stretches as (
    select organization_id, holder_type, holder_id, license_type, status, takes_seat, valid_from, valid_to
    from internal.license_stretches
),

begun as (
    select *, valid_from as event_date
    from stretches
),

ended as (
    select *, valid_to as event_date
    from stretches
    where valid_to is not null
),

starts as (
    select
        later.*,
        case when earlier.holder_id is null then 'joiners' else 'changed_in' end as movement
    from (
        from begun
        semi join temp.changed_days using (event_date)
    ) as later
    left join stretches as earlier
        on earlier.organization_id = later.organization_id
        and earlier.holder_type = later.holder_type
        and earlier.holder_id = later.holder_id
        and earlier.valid_to = later.event_date
    where (earlier.license_type, earlier.status, earlier.takes_seat)
        is distinct from (later.license_type, later.status, later.takes_seat)
),

ends as (
    select
        earlier.*,
        case when later.holder_id is null and links.invite_id is null then 'leavers' else 'changed_out' end as movement
    from (
        from ended
        semi join temp.changed_days using (event_date)
    ) as earlier
    left join stretches as later
        on later.organization_id = earlier.organization_id
        and later.holder_type = earlier.holder_type
        and later.holder_id = earlier.holder_id
        and later.valid_from = earlier.event_date
    left join internal.invite_links as links
        on earlier.holder_type = 'invite'
        and links.organization_id = earlier.organization_id
        and links.invite_id = earlier.holder_id
    where (earlier.license_type, earlier.status, earlier.takes_seat)
        is distinct from (later.license_type, later.status, later.takes_seat)
)

select
    event_date,
    organization_id,
    holder_type,
    license_type,
    status,
    takes_seat,
    count(*) filter (where movement = 'joiners') as joiners,
    count(*) filter (where movement = 'leavers') as leavers,
    count(*) filter (where movement = 'changed_in') as changed_in,
    count(*) filter (where movement = 'changed_out') as changed_out
from (
    from starts
    union all by name
    from ends
)
group by event_date, organization_id, holder_type, license_type, status, takes_seat
order by organization_id, event_date, holder_type, license_type, status, takes_seat
