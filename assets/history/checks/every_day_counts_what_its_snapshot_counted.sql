-- One row per fault. Assumes: the seats of every day on record, read again or not, are as many as its snapshot counted.
-- reads: seat_counts_daily, snapshot_log
with

counted as (
    select organization_id, snapshot_date, 'user' as holder_type, users as holders
    from snapshot_log
    union all
    select organization_id, snapshot_date, 'api_key', api_keys
    from snapshot_log
    union all
    select organization_id, snapshot_date, 'invite', invites
    from snapshot_log
),

seats as (
    select organization_id, snapshot_date, holder_type, cast(sum(seats) as bigint) as seats
    from seat_counts_daily
    where is_observed
    group by organization_id, snapshot_date, holder_type
)

select
    format(
        '{}, {} on {}: {} counted in the snapshot, {} seats in the counts',
        counted.organization_id, counted.holder_type, counted.snapshot_date,
        coalesce(cast(counted.holders as varchar), 'unknown'), coalesce(cast(seats.seats as varchar), 'no')
    ) as finding
from counted
left join seats
    on seats.organization_id = counted.organization_id
    and seats.snapshot_date = counted.snapshot_date
    and seats.holder_type = counted.holder_type
where nullif(counted.holders, 0) is distinct from nullif(seats.seats, 0)
