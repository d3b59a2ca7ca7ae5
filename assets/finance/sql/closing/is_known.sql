-- One row. Answers: is anything known of the month?
-- reads: internal.finance_months
select count(*) > 0 as is_known
from internal.finance_months
where month = $month
