-- One row per organization and snapshot day. Answers: what does each snapshot say of itself? Those that are not read, as
-- the last warehouse knew them.
-- reads: inputs.days, inputs.days_to_read, inputs.facts_read, inputs.known_log
from inputs.facts_read
union all by name
select *
from inputs.known_log
semi join inputs.days using (organization_id, snapshot_date)
anti join inputs.days_to_read using (organization_id, snapshot_date)
