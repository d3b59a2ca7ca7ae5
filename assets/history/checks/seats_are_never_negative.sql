-- One row per fault. Assumes: nobody can leave who was not there.
-- reads: seat_counts_daily
select
    format('{}, {} {} {} on {}: {} seats', organization_id, holder_type, license_type, status, snapshot_date, seats)
        as finding
from seat_counts_daily
where seats < 0
