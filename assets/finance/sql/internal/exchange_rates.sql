-- One row per line of exchange_rates.csv. Answers: what is one unit of a currency worth in another?
-- reads: inputs.exchange_rates
select from_currency, to_currency, valid_from, valid_to, rate
from inputs.exchange_rates
order by from_currency, to_currency, valid_from
