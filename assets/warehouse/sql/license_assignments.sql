-- One row per holder: the latest snapshot of each organization. Answers: who holds what now?
select *
from inputs.latest_snapshots
order by organization_id, holder_type, holder_id
