-- One row per day and organization of a month that is not final. Answers: what stands in the way of closing the month?
-- reads: finance_days
select organization_id, day, state, is_acknowledged
from finance_days
where month = $month
    and state <> 'final'
order by day, organization_id
