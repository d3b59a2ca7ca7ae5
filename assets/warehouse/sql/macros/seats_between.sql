-- One row per observed day from a to b (both included), organization, kind of holder, license type, status and taking a
-- seat or not. Answers: how did the seats develop?
create macro seats_between(from_day, to_day) as table
select snapshot_date, organization_id, holder_type, license_type, status, takes_seat, seats
from seat_counts_daily
where snapshot_date between cast(from_day as date) and cast(to_day as date)
