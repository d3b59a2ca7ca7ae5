-- One row per fault. Assumes: between two observed days, the seats of a license type change by who came and went, and
-- by nothing else.
-- reads: internal.roster_days, license_events, seat_counts_daily
with

days as (
    select organization_id, holder_type, snapshot_date, previous_date
    from internal.roster_days
),

seats as (
    select organization_id, holder_type, license_type, snapshot_date, sum(seats) as seats
    from seat_counts_daily
    where is_observed
    group by organization_id, holder_type, license_type, snapshot_date
),

deltas as (
    select
        seats.organization_id,
        seats.holder_type,
        seats.license_type,
        seats.snapshot_date,
        seats.seats - coalesce(earlier.seats, 0) as delta
    from seats
    inner join days
        on days.organization_id = seats.organization_id
        and days.holder_type = seats.holder_type
        and days.snapshot_date = seats.snapshot_date
    left join seats as earlier
        on earlier.organization_id = seats.organization_id
        and earlier.holder_type = seats.holder_type
        and earlier.license_type = seats.license_type
        and earlier.snapshot_date = days.previous_date
),

moves as (
    select organization_id, holder_type, license_type, event_date, sum(seats) as explained
    from (
        select organization_id, holder_type, after as license_type, event_date, 1 as seats
        from license_events
        where attribute = 'license_type' and after is not null
        union all
        select organization_id, holder_type, before, event_date, -1
        from license_events
        where attribute = 'license_type' and before is not null
    )
    group by organization_id, holder_type, license_type, event_date
)

select
    format(
        '{}, {} {} on {}: the seats change by {}, the events explain {}',
        coalesce(deltas.organization_id, moves.organization_id), coalesce(deltas.holder_type, moves.holder_type),
        coalesce(deltas.license_type, moves.license_type), coalesce(deltas.snapshot_date, moves.event_date),
        coalesce(deltas.delta, 0), coalesce(moves.explained, 0)
    ) as finding
from deltas
full join moves
    on moves.organization_id = deltas.organization_id
    and moves.holder_type = deltas.holder_type
    and moves.license_type = deltas.license_type
    and moves.event_date = deltas.snapshot_date
where coalesce(deltas.delta, 0) <> coalesce(moves.explained, 0)
