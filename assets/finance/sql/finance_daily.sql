-- One row per counted day, organization, cost centre and license type, from the line's first day on.
-- Answers: how many seats did each line have on that day, and how many of them are pending invites? In a month in which
-- an organization was not read at all, each day has what was last known (is_observed = false).
-- reads: internal.counted_days, internal.seat_stretches
with

bounds as (
    select organization_id, cost_centre, license_type, holder_type, from_day as snapshot_date, 1 as seats
    from internal.seat_stretches
    where is_billed
    union all
    select organization_id, cost_centre, license_type, holder_type, to_day, -1
    from internal.seat_stretches
    where is_billed
        and to_day is not null
),

steps as (
    select
        organization_id,
        cost_centre,
        license_type,
        snapshot_date,
        sum(seats) as seats,
        sum(case when holder_type = 'invite' then seats else 0 end) as invites
    from bounds
    group by organization_id, cost_centre, license_type, snapshot_date
),

lines as (
    select organization_id, cost_centre, license_type, min(snapshot_date) as first_day
    from steps
    group by organization_id, cost_centre, license_type
)

select
    days.snapshot_date,
    lines.organization_id,
    lines.cost_centre,
    lines.license_type,
    cast(sum(coalesce(steps.seats, 0)) over line as bigint) as seats,
    cast(sum(coalesce(steps.invites, 0)) over line as bigint) as invites,
    days.is_observed
from lines
inner join internal.counted_days as days
    on days.organization_id = lines.organization_id
    and days.snapshot_date >= lines.first_day
left join steps
    on steps.organization_id = lines.organization_id
    and steps.cost_centre = lines.cost_centre
    and steps.license_type = lines.license_type
    and steps.snapshot_date = days.snapshot_date
window line as (
    partition by lines.organization_id, lines.cost_centre, lines.license_type order by days.snapshot_date
)
order by lines.organization_id, days.snapshot_date, lines.cost_centre, lines.license_type
