-- One row per organization, kind of holder, license type, status and taking a seat or not, that somebody had on a day.
-- Answers: how many seats were taken on that day? As licenses_on, of which it is the count.
-- reads: internal.calendar_days, seat_counts_daily
create macro seats_on(on_day) as table
select
    cast(on_day as date) as snapshot_date,
    counts.is_observed and counts.snapshot_date = cast(on_day as date) as is_observed,
    counts.as_of,
    counts.organization_id,
    counts.holder_type,
    counts.license_type,
    counts.status,
    counts.takes_seat,
    counts.seats
from seat_counts_daily as counts
inner join (
    select organization_id, holder_type, max(day) as day
    from internal.calendar_days
    where day <= cast(on_day as date)
    group by organization_id, holder_type
) as asked
    on asked.organization_id = counts.organization_id
    and asked.holder_type = counts.holder_type
    and asked.day = counts.snapshot_date
where counts.seats > 0
