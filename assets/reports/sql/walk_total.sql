-- One row: the walk of all lines together. Answers: how did all of last month's seats become this month's?
select
    cast(sum(seats_before) as bigint) as seats_before,
    cast(sum(joiners) as bigint) as joiners,
    cast(sum(leavers) as bigint) as leavers,
    cast(sum(changed_in) as bigint) as changed_in,
    cast(sum(changed_out) as bigint) as changed_out,
    cast(sum(restated) as bigint) as restated,
    cast(sum(seats_month_end) as bigint) as seats_month_end,
    cast(sum(unused_month_end) as bigint) as unused_month_end,
    cast(sum(unused_unknown) as bigint) as unused_unknown
from finance_statement
where month = $month
having count(*) > 0
