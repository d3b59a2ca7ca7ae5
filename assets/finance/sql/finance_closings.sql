-- One row per closing and reopening of a month. Answers: who signed what, when, computed from what, and who undid it?
-- reads: inputs.finance_closings
select
    number,
    event,
    month,
    recorded_at,
    recorded_by,
    reason,
    acknowledged_gaps,
    inputs_sha256,
    is_in_force
from inputs.finance_closings
order by number
