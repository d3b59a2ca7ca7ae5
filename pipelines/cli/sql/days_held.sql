-- One row. Answers: snapshots of how many days and organizations does the warehouse hold, from when to when?
-- reads: snapshot_log
select
    count(distinct snapshot_date) as days,
    count(distinct organization_id) as organizations,
    min(snapshot_date) as first_day,
    max(snapshot_date) as last_day
from snapshot_log
