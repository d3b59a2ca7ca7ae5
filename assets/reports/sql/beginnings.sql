-- One row per organization that begins in the month. Answers: how many stood there on the first counted day?
-- reads: finance_movements
select organization_id, event_date, count(*) as joiners,
    count(*) filter (where holder_type = 'invite') as invite_joiners
from finance_movements
where month = $month
    and is_beginning
group by organization_id, event_date
order by organization_id
