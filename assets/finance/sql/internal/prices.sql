-- One row per line of prices.csv. Answers: what does a seat cost, for whom, since when? A null organization is all.
-- reads: inputs.prices
select license_type, organization_id, valid_from, valid_to, amount, currency
from inputs.prices
order by license_type, organization_id, valid_from
