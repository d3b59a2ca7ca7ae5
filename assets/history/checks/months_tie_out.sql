-- One row per fault. Assumes: month-end seats less those of the roster's month before are joiners - leavers +
-- changed_in - changed_out.
-- reads: seat_counts_monthly
with

months as (
    select
        *,
        lag(seats_month_end, 1, 0) over (
            partition by organization_id, holder_type, license_type, status, takes_seat
            order by month
        ) as seats_before
    from seat_counts_monthly
)

select
    format(
        '{}, {} {} {} in {}: from {} seats to {}, but {} joined, {} left, {} changed in, {} changed out',
        organization_id, holder_type, license_type, status, strftime(month, '%Y-%m'), seats_before, seats_month_end,
        joiners, leavers, changed_in, changed_out
    ) as finding
from months
where seats_month_end - seats_before <> joiners - leavers + changed_in - changed_out
