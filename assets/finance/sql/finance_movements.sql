-- One row per holder and move into or out of a line of finance's: organization, cost centre, license type.
-- Answers: who joined, who left, who changed from one line to another? On an organization's first counted day all are
-- joiners, whenever they really came: is_beginning says so. Who was invited and became a member is one joiner: when the
-- invite took a seat, its seat goes on; when it took none, the member is the one who joins.
-- reads: internal.counted_days, internal.seat_steps
create view finance_movements as
with

beginnings as (
    select organization_id, min(snapshot_date) as first_day
    from internal.counted_days
    group by organization_id
)

select
    cast(date_trunc('month', steps.event_date) as date) as month,
    steps.organization_id,
    steps.cost_centre,
    steps.license_type,
    steps.event_date,
    steps.movement,
    steps.holder_type,
    steps.holder_id,
    steps.name,
    steps.email,
    steps.other_cost_centre,
    steps.other_license_type,
    steps.event_date = beginnings.first_day as is_beginning
from internal.seat_steps as steps
inner join beginnings on beginnings.organization_id = steps.organization_id
where steps.movement is not null
