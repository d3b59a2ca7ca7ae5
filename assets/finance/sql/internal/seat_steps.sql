-- One row per begin and end of a seat in a line of finance's (organization, cost centre, license type), unless the same
-- holder goes on in it. Answers: who came into which line, who went out of it, and what was it?
-- Who was invited and became a member is one joiner: when the invite took a seat, the person has joined with it, and who
-- accepts it leaves nothing; when it took none, the member is the one who joins. Where the seat stays in its line and only
-- its holder is another (an invite that was accepted), movement is null: nobody moved.
-- reads: internal.seat_stretches, temp.changed_steps
with

stretches as (
    select
        *,
        lag(struct_pack(to_day, is_billed, cost_centre, license_type, holder_type)) over seat as earlier,
        lead(struct_pack(from_day, is_billed, cost_centre, license_type, holder_type)) over seat as later
    from internal.seat_stretches
    semi join temp.changed_steps using (organization_id, seat_type, seat_id)
    -- an invite without a seat is nobody yet, or goes on beside its member
    where is_billed
        or holder_type <> 'invite'
    window seat as (partition by organization_id, seat_type, seat_id order by from_day, holder_type, holder_id)
),

compared as (
    select
        *,
        coalesce(earlier.to_day = from_day, false) as follows,
        coalesce(later.from_day = to_day, false) as is_followed,
        -- between an invite's end and its member's begin there may be a day that shows neither
        coalesce(earlier.holder_type = 'invite' and holder_type = 'user', false) as accepts,
        coalesce(holder_type = 'invite' and later.holder_type = 'user', false) as is_accepted,
        coalesce(follows and earlier.is_billed, false) as had_seat,
        coalesce(is_followed and later.is_billed, false) as keeps_seat,
        had_seat and (earlier.cost_centre, earlier.license_type) = (cost_centre, license_type) as had_line,
        keeps_seat and (later.cost_centre, later.license_type) = (cost_centre, license_type) as keeps_line
    from stretches
    where is_billed
)

select
    organization_id,
    cost_centre,
    license_type,
    from_day as event_date,
    1 as seats,
    case when had_line then null when follows or accepts then 'changed_in' else 'joiner' end as movement,
    false as is_accepted,
    seat_type,
    seat_id,
    holder_type,
    holder_id,
    name,
    email,
    case when had_seat then earlier.cost_centre end as other_cost_centre,
    case when had_seat then earlier.license_type end as other_license_type
from compared
where not had_line
    or earlier.holder_type <> holder_type
union all
select
    organization_id,
    cost_centre,
    license_type,
    to_day,
    -1,
    case when keeps_line then null when is_followed or is_accepted then 'changed_out' else 'leaver' end,
    is_accepted,
    seat_type,
    seat_id,
    holder_type,
    holder_id,
    name,
    email,
    case when keeps_seat then later.cost_centre end,
    case when keeps_seat then later.license_type end
from compared
where to_day is not null
    and (not keeps_line or later.holder_type <> holder_type)
order by organization_id, seat_type, seat_id, event_date, seats, cost_centre, license_type, holder_type, holder_id
