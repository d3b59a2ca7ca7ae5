-- One row per holder of whom something else is told than before; nobody, where nothing is taken over.
-- Answers: whose stretches must be made again? Not theirs of whom every day that is read tells what was told last.
-- reads: inputs.days_to_read, inputs.known_stretches, internal.roster_days, temp.rows_read
create or replace temp table changed_told as
with

days_read as (
    select days.organization_id, days.holder_type, count(*) as days
    from internal.roster_days as days
    semi join inputs.days_to_read as again
        on again.organization_id = days.organization_id
        and again.snapshot_date = days.snapshot_date
    group by days.organization_id, days.holder_type
),

open_stretches as (
    select *
    from inputs.known_stretches
    where valid_to is null
),

compared as (
    select
        organization_id,
        holder_type,
        holder_id,
        -- everybody has a status: who stands on one side only is not the same
        told.license_told is not distinct from known.license_told
        and told.role is not distinct from known.role
        and told.status is not distinct from known.status
        and told.status_raw is not distinct from known.status_raw
        and told.name is not distinct from known.name
        and told.email is not distinct from known.email
        and told.owner_user_id is not distinct from known.owner_user_id
        and told.owner_email is not distinct from known.owner_email
        and told.owner_type is not distinct from known.owner_type
        and told.owner_status is not distinct from known.owner_status
        and told.workspace_id is not distinct from known.workspace_id
        and told.workspace_name is not distinct from known.workspace_name
        and told.key_scope is not distinct from known.key_scope
        and told.key_hint is not distinct from known.key_hint
        and told.expires_at is not distinct from known.expires_at
        and told.assigned_at is not distinct from known.assigned_at
        and coalesce(told.invite_id = known.invite_id, told.invite_id is null) as is_the_same
    from temp.rows_read as told
    full join open_stretches as known using (organization_id, holder_type, holder_id)
    where getvariable('amends')
)

select compared.organization_id, compared.holder_type, compared.holder_id
from compared
-- where nobody has looked, nothing has changed
inner join days_read
    on days_read.organization_id = compared.organization_id
    and days_read.holder_type = compared.holder_type
group by compared.organization_id, compared.holder_type, compared.holder_id, days_read.days
having count(*) filter (where compared.is_the_same) < days_read.days
