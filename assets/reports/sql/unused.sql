-- One row per seat without known use in the 30 days before the month's end, the surest and longest first.
-- Answers: which seats could be given back? Those whose disuse is proven (is_unused); of the others it is not known.
-- reads: finance_unused
select
    organization_id,
    coalesce(name, email, holder_id) as name,
    email,
    cost_centre,
    license_type,
    assigned_date,
    last_used_date,
    last_used_state,
    days_unused_proven,
    certainty,
    is_unused,
    price
from finance_unused
where month = $month
order by is_unused desc, days_unused_proven desc nulls last, price desc nulls last, organization_id, name, holder_id
