-- One row per holder at the close of the day, as the file tells it: what `holders` are to an observed day.
-- Answers: who held a license by the file, and what does it say of them?
-- reads: import_holders, observation
select
    observation.day,
    holder_type,
    holder_id,
    case when holder_type <> 'api_key' then role end as role,
    case when holder_type <> 'user' then status_raw end as status_raw,
    name,
    case when holder_type <> 'api_key' then email end as email,
    -- owner and place: only keys have them
    case when holder_type = 'api_key' then owner_user_id end as owner_id,
    case when holder_type = 'api_key' then owner_type end as owner_shape,
    case when holder_type = 'api_key' then workspace_id end as workspace_id,
    case when holder_type = 'api_key' then case when workspace_id is null then key_scope else 'workspace' end end as key_scope,
    case when holder_type = 'api_key' then key_hint end as key_hint,
    case when holder_type = 'api_key' then expires_at end as expires_at,
    assigned_at
from import_holders, observation
where not is_later
