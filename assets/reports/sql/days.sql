-- One row per organization and day of the month that is not known and final. Answers: what do we not know for sure?
-- reads: finance_days
select organization_id, day, state, is_counted, is_acknowledged, provenance
from finance_days
where month = $month
    and state <> 'final'
order by organization_id, day
