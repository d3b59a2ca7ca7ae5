-- One row per license type and day. Answers: how many active members were there?
-- reads: seat_counts_daily
select license_type, snapshot_date, sum(seats)::bigint as seats
from seat_counts_daily
where status = 'Active' and holder_type = 'user'
group by all
order by all
