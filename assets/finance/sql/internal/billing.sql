-- One row per line of billing.csv. Answers: how is an organization billed? A null organization is all others.
-- reads: inputs.billing
select organization_id, convention, currency, invites_take_seats
from inputs.billing
order by organization_id
