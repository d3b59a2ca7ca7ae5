-- One row per observed day, organization, kind of holder, license type, status and taking a seat or not.
-- Answers: how many of each were there on that day? From its first day on, a combination has a row for every observed
-- day, with 0 seats where nobody has it any more; a day on which the roster is unknown has none.
with

stretches as (
    select
        history.organization_id,
        history.holder_type,
        history.license_type,
        history.status,
        rules.takes_seat,
        history.valid_from,
        history.valid_to
    from license_history as history
    inner join internal.seat_rules as rules
        on rules.holder_type = history.holder_type
        and rules.license_type = history.license_type
        and rules.role is not distinct from history.role
        and rules.status = history.status
),

bounds as (
    select organization_id, holder_type, license_type, status, takes_seat, valid_from as snapshot_date, 1 as seats
    from stretches
    union all
    select organization_id, holder_type, license_type, status, takes_seat, valid_to, -1
    from stretches
    where valid_to is not null
),

steps as (
    select organization_id, holder_type, license_type, status, takes_seat, snapshot_date, sum(seats) as seats
    from bounds
    group by organization_id, holder_type, license_type, status, takes_seat, snapshot_date
),

combinations as (
    select organization_id, holder_type, license_type, status, takes_seat, min(snapshot_date) as first_day
    from steps
    group by organization_id, holder_type, license_type, status, takes_seat
)

select
    days.snapshot_date,
    combinations.organization_id,
    combinations.holder_type,
    combinations.license_type,
    combinations.status,
    combinations.takes_seat,
    cast(sum(coalesce(steps.seats, 0)) over (
        partition by
            combinations.organization_id,
            combinations.holder_type,
            combinations.license_type,
            combinations.status,
            combinations.takes_seat
        order by days.snapshot_date
    ) as bigint) as seats
from combinations
inner join internal.roster_days as days
    on days.organization_id = combinations.organization_id
    and days.holder_type = combinations.holder_type
    and days.snapshot_date >= combinations.first_day
left join steps
    on steps.organization_id = combinations.organization_id
    and steps.holder_type = combinations.holder_type
    and steps.license_type = combinations.license_type
    and steps.status = combinations.status
    and steps.takes_seat = combinations.takes_seat
    and steps.snapshot_date = days.snapshot_date
order by
    combinations.organization_id,
    days.snapshot_date,
    combinations.holder_type,
    combinations.license_type,
    combinations.status,
    combinations.takes_seat
