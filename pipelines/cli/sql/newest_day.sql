-- One row. Answers: up to which day does the warehouse hold snapshots?
-- reads: snapshot_log
select max(snapshot_date) as newest_day
from snapshot_log
