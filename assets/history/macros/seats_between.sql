-- One row per day from a to b (both included), organization, kind of holder, license type, status and taking a seat or
-- not. Answers: how did the seats develop? Days after the last that is known reach up to today with what is known last.
-- reads: seat_counts_daily
create macro seats_between(from_day, to_day) as table
with

known as (
    select max(snapshot_date) as last_day
    from seat_counts_daily
),

later as (
    select
        last_day,
        last_day + cast(unnest(range(1, 1 + greatest(0, least(cast(to_day as date), current_date) - last_day))) as integer) as day
    from known
)

select snapshot_date, is_observed, as_of, organization_id, holder_type, license_type, status, takes_seat, seats
from seat_counts_daily
where snapshot_date between cast(from_day as date) and cast(to_day as date)
union all
select
    later.day,
    false,
    counts.as_of,
    counts.organization_id,
    counts.holder_type,
    counts.license_type,
    counts.status,
    counts.takes_seat,
    counts.seats
from seat_counts_daily as counts
inner join later on later.last_day = counts.snapshot_date
where later.day >= cast(from_day as date)
