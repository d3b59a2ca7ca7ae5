-- One row per replacement and holder whose row it changed: what the day's snapshot said before.
select *
from inputs.restated_rows
order by organization_id, snapshot_date, restated_at, holder_type, holder_id
