-- One row per closing or reopening of the month. Answers: who signed it, and when?
-- reads: finance_closings
select number, event, recorded_at, recorded_by, reason, acknowledged_gaps, inputs_sha256, is_in_force
from finance_closings
where month = $month
order by number
