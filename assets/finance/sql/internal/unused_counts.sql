-- One row per month, organization, cost centre and license type with seats of whom no use is known in 30 days.
-- Answers: how many of them are proved not to have been used, and of how many is it not known?
-- reads: finance_unused, temp.unused_since
select
    month,
    organization_id,
    cost_centre,
    license_type,
    count(*) filter (where is_unused) as unused_month_end,
    count(*) filter (where not is_unused) as unused_unknown
from finance_unused
-- a constant, so that other months are not even looked at
where month >= getvariable('unused_since')
group by month, organization_id, cost_centre, license_type
order by month, organization_id, cost_centre, license_type
