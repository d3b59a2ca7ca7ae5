-- One row per organization. Answers: of which day are the seats that stand at the month's end? They may be carried
-- forward from a day long before.
-- reads: finance_days
select organization_id, max(day) as day
from finance_days
where is_counted
    and day <= $until
group by organization_id
