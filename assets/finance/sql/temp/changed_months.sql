-- One row per month of which unused seats may be counted otherwise than before; all of them, where nothing is taken over.
-- Answers: which months are counted again?
-- reads: internal.finance_months, temp.known_finance_months, temp.unused_since
create or replace temp table changed_months as
select month
from internal.finance_months
where month >= getvariable('unused_since')
union
select month
from temp.known_finance_months
where month >= getvariable('unused_since')
