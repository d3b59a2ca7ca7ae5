-- One row per holder of whom something else is told than before; nobody, where nothing is taken over.
-- Answers: whose stretches must be made again? Not theirs of whom every day that is read tells what was told last.
-- reads: inputs.days_to_read, inputs.known_stretches, internal.roster_days, temp.pieces_read
create or replace temp table changed_told as
with

days_read as (
    select
        days.organization_id,
        days.holder_type,
        min(days.day_number) as first_number,
        max(days.day_number) as last_number
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

unchanged as (
    select known.organization_id, known.holder_type, known.holder_id
    from open_stretches as known
    inner join temp.pieces_read as told
        on told.organization_id = known.organization_id
        and told.holder_type = known.holder_type
        and told.holder_id = known.holder_id
    inner join days_read
        on days_read.organization_id = told.organization_id
        and days_read.holder_type = told.holder_type
        and days_read.first_number = told.first_number
        and days_read.last_number = told.last_number
    where told.license_told is not distinct from known.license_told
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
        and coalesce(told.invite_id = known.invite_id, told.invite_id is null)
    union all
    -- nobody has looked
    select organization_id, holder_type, holder_id
    from open_stretches
    anti join days_read using (organization_id, holder_type)
),

everybody as (
    select organization_id, holder_type, holder_id
    from temp.pieces_read
    union
    select organization_id, holder_type, holder_id
    from open_stretches
)

select *
from everybody
anti join unchanged using (organization_id, holder_type, holder_id)
where getvariable('amends')
