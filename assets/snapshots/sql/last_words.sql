-- One row per source that told of any use in the nights that are newly read, be it known whose or not.
-- Answers: up to when did a report speak at all?
-- reads: told_since
select source, max(usage_date) as usage_date
from told_since
group by source
