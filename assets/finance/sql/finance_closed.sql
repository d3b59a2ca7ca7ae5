-- One row per closed month, organization, cost centre and license type. Answers: what was signed?
-- reads: inputs.finance_closed
select *
from inputs.finance_closed
order by month, organization_id, cost_centre, license_type, currency
