-- One row per line of an earlier closed month that is made good in this one. Answers: which adjustments are signed with
-- the month?
-- reads: finance_adjustments
from finance_adjustments
where month = $month
order by all
