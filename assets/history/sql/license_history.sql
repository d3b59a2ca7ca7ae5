-- One row per holder and unbroken stretch of observed days with equal attributes (type 2, nulls equal nulls).
-- Answers: who held what, since when, until when? Usage, provenance and the organization's name are no attributes.
-- reads: internal.license_stretches, internal.roster_days
create view license_history as
with

last_days as (
    select organization_id, holder_type, organization_name, day_number
    from internal.roster_days
    where next_date is null
)

select
    stretches.organization_id,
    stretches.holder_type,
    stretches.holder_id,
    case when stretches.valid_to is null then last_days.organization_name else stretches.organization_name end as organization_name,
    -- attributes
    stretches.license_type,
    stretches.takes_seat,
    stretches.role,
    stretches.status,
    stretches.status_raw,
    stretches.name,
    stretches.email,
    stretches.owner_user_id,
    stretches.owner_email,
    stretches.owner_type,
    stretches.owner_status,
    stretches.workspace_id,
    stretches.workspace_name,
    stretches.key_scope,
    stretches.key_hint,
    stretches.expires_at,
    stretches.assigned_at,
    stretches.invite_id,
    -- when
    stretches.valid_from,
    stretches.valid_to,
    stretches.valid_to is null as is_current,
    coalesce(stretches.days_observed, 1 + last_days.day_number - stretches.first_number) as days_observed
from internal.license_stretches as stretches
left join last_days
    on last_days.organization_id = stretches.organization_id
    and last_days.holder_type = stretches.holder_type
