-- One row per month, organization, kind of holder, license type, status and taking a seat or not.
-- Answers: how many at the end of the month, at most, on average; and who came and went?
-- seats_month_end less the one of the month before is joiners - leavers + changed_in - changed_out.
-- reads: internal.calendar_days, internal.roster_days, internal.seat_movements, seat_counts_daily, snapshot_log
with

days as (
    select
        date_trunc('month', calendar.day) as month,
        calendar.organization_id,
        calendar.holder_type,
        count(*) filter (where calendar.is_observed) as days_observed,
        -- the days that the figures are of: a month in which nobody looked shows what was known before it
        coalesce(nullif(count(*) filter (where calendar.is_observed), 0), count(*)) as days_counted,
        bool_and(rosters.is_final) filter (where calendar.is_observed) as all_final
    from internal.calendar_days as calendar
    inner join internal.roster_days as rosters
        on rosters.organization_id = calendar.organization_id
        and rosters.holder_type = calendar.holder_type
        and rosters.snapshot_date = calendar.as_of
    group by date_trunc('month', calendar.day), calendar.organization_id, calendar.holder_type
),

known_until as (
    select organization_id, max(snapshot_date) as last_day
    from snapshot_log
    group by organization_id
),

known_since as (
    select organization_id, holder_type, min(snapshot_date) as first_day
    from internal.roster_days
    group by organization_id, holder_type
),

seats as (
    select
        days.month,
        counts.organization_id,
        counts.holder_type,
        counts.license_type,
        counts.status,
        counts.takes_seat,
        arg_max(counts.seats, counts.snapshot_date) as seats_month_end,
        max(counts.seats) as seats_peak,
        arg_max(counts.snapshot_date, first_of_peaks(counts.seats, counts.snapshot_date)) as peak_date,
        cast(sum(counts.seats) as bigint) as seat_days
    from seat_counts_daily as counts
    inner join days
        on days.month = date_trunc('month', counts.snapshot_date)
        and days.organization_id = counts.organization_id
        and days.holder_type = counts.holder_type
        and (counts.is_observed or days.days_observed = 0)
    group by
        days.month, counts.organization_id, counts.holder_type, counts.license_type, counts.status, counts.takes_seat
),

movements as (
    select
        date_trunc('month', event_date) as month,
        organization_id,
        holder_type,
        license_type,
        status,
        takes_seat,
        cast(sum(joiners) as bigint) as joiners,
        cast(sum(leavers) as bigint) as leavers,
        cast(sum(changed_in) as bigint) as changed_in,
        cast(sum(changed_out) as bigint) as changed_out
    from internal.seat_movements
    group by date_trunc('month', event_date), organization_id, holder_type, license_type, status, takes_seat
)

select
    cast(seats.month as date) as month,
    seats.organization_id,
    seats.holder_type,
    seats.license_type,
    seats.status,
    seats.takes_seat,
    -- how many
    seats.seats_month_end,
    seats.seats_peak,
    seats.peak_date,
    average(seats.seat_days, days.days_counted) as seats_average,
    seats.seat_days,
    -- who came and went
    coalesce(movements.joiners, 0) as joiners,
    coalesce(movements.leavers, 0) as leavers,
    coalesce(movements.changed_in, 0) as changed_in,
    coalesce(movements.changed_out, 0) as changed_out,
    -- how well it is known
    days.days_observed,
    day(last_day(seats.month)) as days_in_month,
    known_until.last_day >= last_day(seats.month)
    and coalesce(days.all_final, false)
    and days.days_observed = 1 + last_day(seats.month) - greatest(cast(seats.month as date), known_since.first_day) as is_final
from seats
inner join days
    on days.month = seats.month
    and days.organization_id = seats.organization_id
    and days.holder_type = seats.holder_type
inner join known_until on known_until.organization_id = seats.organization_id
inner join known_since
    on known_since.organization_id = seats.organization_id
    and known_since.holder_type = seats.holder_type
left join movements
    on movements.month = seats.month
    and movements.organization_id = seats.organization_id
    and movements.holder_type = seats.holder_type
    and movements.license_type = seats.license_type
    and movements.status = seats.status
    and movements.takes_seat = seats.takes_seat
order by seats.organization_id, seats.month, seats.holder_type, seats.license_type, seats.status, seats.takes_seat
