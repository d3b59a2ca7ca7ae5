-- One row: the walk of all lines together. Answers: how did all of last month's seats become this month's?
-- reads: finance_statement
select
    cast(sum(seats_before) as bigint) as seats_before,
    cast(sum(joiners) as bigint) as joiners,
    cast(sum(leavers) as bigint) as leavers,
    cast(sum(changed_in) as bigint) as changed_in,
    cast(sum(changed_out) as bigint) as changed_out,
    cast(sum(restated) as bigint) as restated,
    cast(sum(seats_month_end) as bigint) as seats_month_end,
    case when count(invite_joiners) = count(*) then cast(sum(invite_joiners) as bigint) end as invite_joiners,
    case when count(invite_leavers) = count(*) then cast(sum(invite_leavers) as bigint) end as invite_leavers,
    case when count(invites_accepted) = count(*) then cast(sum(invites_accepted) as bigint) end as invites_accepted,
    case when count(invites_month_end) = count(*) then cast(sum(invites_month_end) as bigint) end as invites_month_end,
    cast(sum(unused_month_end) as bigint) as unused_month_end,
    cast(sum(unused_unknown) as bigint) as unused_unknown
from finance_statement
where month = $month
having count(*) > 0
