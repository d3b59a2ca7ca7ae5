-- One row per day of use that the answers of one observation tell of, with how many rows of parts tell of it.
-- Answers: how many days fit into memory at once?
-- reads: uses
select usage_date, count(*) as told
from uses
group by usage_date
order by usage_date
