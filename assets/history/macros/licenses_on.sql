-- One row per holder on a day, as the last observed day up to it shows it. Answers: who held what on that day?
-- Nothing before the first snapshot day; is_observed is false where the roster of that very day is not known, and as_of
-- says of which day it is. With known_at, it answers what the warehouse answered then (licenses_known_at).
-- reads: internal.roster_days, license_history, licenses_known_at
create macro licenses_on(on_day, known_at := null) as table
with

asked as (
    select organization_id, holder_type, max(snapshot_date) as as_of
    from internal.roster_days
    where snapshot_date <= cast(on_day as date)
        and known_at is null
    group by organization_id, holder_type
)

select
    cast(on_day as date) as snapshot_date,
    asked.as_of = cast(on_day as date) as is_observed,
    asked.as_of,
    history.organization_id,
    days.organization_name,
    history.holder_type,
    history.holder_id,
    history.license_type,
    history.role,
    history.status,
    history.status_raw,
    history.name,
    history.email,
    history.owner_user_id,
    history.owner_email,
    history.owner_type,
    history.owner_status,
    history.workspace_id,
    history.workspace_name,
    history.key_scope,
    history.key_hint,
    history.expires_at,
    history.assigned_at,
    history.valid_from,
    history.valid_to
from license_history as history
inner join asked
    on asked.organization_id = history.organization_id
    and asked.holder_type = history.holder_type
inner join internal.roster_days as days
    on days.organization_id = asked.organization_id
    and days.holder_type = asked.holder_type
    and days.snapshot_date = asked.as_of
where history.valid_from <= asked.as_of
    and (history.valid_to is null or history.valid_to > asked.as_of)
union all
select *
from licenses_known_at(on_day, known_at)
where known_at is not null
