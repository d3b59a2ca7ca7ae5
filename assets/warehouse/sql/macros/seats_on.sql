-- One row per organization, kind of holder, license type, status and taking a seat or not, that somebody had on a day.
-- Answers: how many seats were taken on that day? As licenses_on, of which it is the count.
create macro seats_on(on_day) as table
select
    cast(on_day as date) as snapshot_date,
    counts.snapshot_date = cast(on_day as date) as is_observed,
    counts.snapshot_date as as_of,
    counts.organization_id,
    counts.holder_type,
    counts.license_type,
    counts.status,
    counts.takes_seat,
    counts.seats
from seat_counts_daily as counts
inner join (
    select days.organization_id, days.holder_type, max(days.snapshot_date) as as_of
    from internal.roster_days as days
    inner join (
        select organization_id, max(snapshot_date) as last_day
        from snapshot_log
        group by organization_id
    ) as known_until
        on known_until.organization_id = days.organization_id
        and known_until.last_day >= cast(on_day as date)
    where days.snapshot_date <= cast(on_day as date)
    group by days.organization_id, days.holder_type
) as asked
    on asked.organization_id = counts.organization_id
    and asked.holder_type = counts.holder_type
    and asked.as_of = counts.snapshot_date
where counts.seats > 0
