-- One row per organization, cost centre and license type of a month. Answers: what is signed when the month is closed?
-- What is signed is final, whatever days were accepted as gaps.
-- reads: finance_statement
select * exclude (is_closed) replace (true as is_final)
from finance_statement
where month = $month
order by all
