-- One row per fault. Assumes: a line is billed at one price a day, and every price has found its rate.
-- reads: internal.prices_by_day
select
    format('{}, {} on {}: {} prices', organization_id, license_type, day, count(*)) as finding
from internal.prices_by_day
group by organization_id, license_type, day
having count(*) > 1
    or bool_or(price is null)
