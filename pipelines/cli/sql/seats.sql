-- One row per kind of holder, license type and status that had seats on either of two days.
-- Answers: how many seats are there on the last day, and how many more than on the first?
-- reads: seat_counts_daily
select
    holder_type,
    license_type,
    status,
    coalesce(sum(seats) filter (where snapshot_date = $last), 0)::bigint as now,
    (now - coalesce(sum(seats) filter (where snapshot_date = $first), 0))::bigint as change
from seat_counts_daily
where snapshot_date in ($first, $last)
group by holder_type, license_type, status
having now <> 0 or change <> 0
order by holder_type = 'invite', holder_type = 'api_key', now desc, license_type, status
