-- One row per holder and move into or out of a line of finance's: organization, cost centre, license type.
-- Answers: who joined, who left, who changed from one line to another? On an organization's first counted day all are
-- joiners, whenever they really came: is_beginning says so.
create view finance_movements as
with

stretches as (
    select
        *,
        lag(struct_pack(to_day, is_billed, cost_centre, license_type)) over holder as earlier,
        lead(struct_pack(from_day, is_billed, cost_centre, license_type)) over holder as later
    from internal.seat_stretches
    window holder as (partition by organization_id, holder_type, holder_id order by from_day)
),

beginnings as (
    select organization_id, min(snapshot_date) as first_day
    from internal.counted_days
    group by organization_id
),

joined as (
    select
        stretches.*,
        earlier.to_day is not distinct from from_day as was_there,
        was_there and earlier.is_billed as had_seat,
        later.from_day is not distinct from to_day as stays,
        stays and later.is_billed as keeps_seat
    from stretches
    where is_billed
),

moves as (
    select
        joined.*,
        from_day as event_date,
        case when was_there then 'changed_in' else 'joiner' end as movement,
        case when had_seat then earlier.cost_centre end as other_cost_centre,
        case when had_seat then earlier.license_type end as other_license_type
    from joined
    where not had_seat
        or (earlier.cost_centre, earlier.license_type) <> (cost_centre, license_type)
    union all by name
    select
        joined.*,
        to_day as event_date,
        case when stays then 'changed_out' else 'leaver' end as movement,
        case when keeps_seat then later.cost_centre end as other_cost_centre,
        case when keeps_seat then later.license_type end as other_license_type
    from joined
    where to_day is not null
        and (not keeps_seat or (later.cost_centre, later.license_type) <> (cost_centre, license_type))
)

select
    cast(date_trunc('month', moves.event_date) as date) as month,
    moves.organization_id,
    moves.cost_centre,
    moves.license_type,
    moves.event_date,
    moves.movement,
    moves.holder_type,
    moves.holder_id,
    moves.name,
    moves.email,
    moves.other_cost_centre,
    moves.other_license_type,
    moves.event_date = beginnings.first_day as is_beginning
from moves
inner join beginnings on beginnings.organization_id = moves.organization_id
