-- One row per replacement and holder whose row it changed. Answers: what did the day's snapshot say of them before?
-- reads: inputs.restated_rows
select *
from inputs.restated_rows
order by organization_id, snapshot_date, restated_at, holder_type, holder_id
