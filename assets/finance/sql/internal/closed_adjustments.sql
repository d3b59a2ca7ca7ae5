-- One row per closed month, and line of an earlier closed month that was adjusted in it. Answers: what was made good?
-- reads: inputs.closed_adjustments
select *
from inputs.closed_adjustments
order by month, restated_month, organization_id, cost_centre, license_type, currency
