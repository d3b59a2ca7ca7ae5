-- One row: the first and the last month with a line, null where there is none.
-- Answers: of which months can there be a report?
-- reads: finance_statement
select
    min(month) as first_month,
    max(month) as last_month
from finance_statement
