-- One row per calendar day of which use is kept as bits. Answers: which bit is a day's, and which bits are of days up to
-- it? The first day's bit is the last one, so that bits of later days are put before those that there are.
-- reads:
select
    getvariable('usage_from') + cast(day as integer) as usage_date,
    cast(getvariable('usage_bits') - 1 - day as integer) as bit,
    bitstring('1' || repeat('0', day), getvariable('usage_bits')) as alone,
    bitstring(repeat('1', day + 1), getvariable('usage_bits')) as up_to
from (select unnest(range(getvariable('usage_bits'))) as day)
order by usage_date
