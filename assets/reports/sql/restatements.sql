-- One row per line of this closed month that is known otherwise now. Answers: what was signed, and what is known?
-- reads: finance_restatements
select
    organization_id,
    cost_centre,
    license_type,
    closed_seats,
    current_seats,
    seats_difference,
    closed_cost,
    current_cost,
    cost_difference,
    cost_made_good,
    cost_open,
    currency,
    open_month
from finance_restatements
where month = $month
order by organization_id, cost_centre, license_type
