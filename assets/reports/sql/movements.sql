-- One row per move of the month, those of the organization's first counted day apart. Answers: who came, went, changed?
-- reads: finance_movements
select
    event_date,
    organization_id,
    movement,
    case holder_type when 'user' then 'person' when 'api_key' then 'API key' else 'invitation' end as kind,
    coalesce(name, email, holder_id) as name,
    email,
    cost_centre,
    license_type,
    other_cost_centre,
    other_license_type
from finance_movements
where month = $month
    and not is_beginning
order by event_date, organization_id, movement, name, holder_id
