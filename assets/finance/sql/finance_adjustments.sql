-- One row per month, and line of an earlier closed month that is made good in it. Answers: which adjustment lines does
-- the month's report show? In a closed month those that were signed with it, in the next open one what is still open.
-- reads: finance_restatements, internal.closed_adjustments
select month, restated_month, organization_id, cost_centre, license_type, seats, cost, currency
from internal.closed_adjustments
union all
select
    open_month,
    month,
    organization_id,
    cost_centre,
    license_type,
    seats_difference,
    cost_open,
    currency
from finance_restatements
where cost_open <> 0
order by all
