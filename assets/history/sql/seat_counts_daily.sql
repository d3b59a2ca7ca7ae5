-- One row per calendar day, organization, kind of holder, license type, status and taking a seat or not.
-- Answers: how many of each were there on that day? From its first day on, a combination has a row for every day up to
-- the last that is known of any organization, with 0 seats where nobody has it any more. On a day on which the roster is
-- not known, the last that is (is_observed = false, as_of its day): a sum does not fall because nobody looked.
-- reads: internal.calendar_days, license_history
with

stretches as (
    select organization_id, holder_type, license_type, status, takes_seat, valid_from, valid_to
    from license_history
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
    days.day as snapshot_date,
    days.is_observed,
    days.as_of,
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
        order by days.day
    ) as bigint) as seats
from combinations
inner join internal.calendar_days as days
    on days.organization_id = combinations.organization_id
    and days.holder_type = combinations.holder_type
    and days.day >= combinations.first_day
left join steps
    on steps.organization_id = combinations.organization_id
    and steps.holder_type = combinations.holder_type
    and steps.license_type = combinations.license_type
    and steps.status = combinations.status
    and steps.takes_seat = combinations.takes_seat
    and steps.snapshot_date = days.day
order by
    combinations.organization_id,
    days.day,
    combinations.holder_type,
    combinations.license_type,
    combinations.status,
    combinations.takes_seat
