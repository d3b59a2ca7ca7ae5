-- One row per adjustment line of the month. Answers: what is made good of earlier months?
-- reads: finance_adjustments
select restated_month, organization_id, cost_centre, license_type, seats, cost, currency
from finance_adjustments
where month = $month
order by restated_month, organization_id, cost_centre, license_type
