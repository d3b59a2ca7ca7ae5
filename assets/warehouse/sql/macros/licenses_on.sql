-- One row per holder on a day, as the last observed day up to it shows it. Answers: who held what on that day?
-- Nothing before the first and after the last snapshot day; is_observed is false where the roster of that very day is
-- not known. With known_at, it answers from what was loaded up to then: what did we believe at that time?
create macro licenses_on(on_day, known_at := null) as table
with

known_days as (
    select organization_id, snapshot_date
    from internal.known_days
    where known_at is null or known_from <= cast(known_at as timestamptz)
),

asked as (
    select
        days.organization_id,
        days.holder_type,
        max(days.snapshot_date) as as_of
    from internal.roster_days as days
    inner join known_days
        on known_days.organization_id = days.organization_id
        and known_days.snapshot_date = days.snapshot_date
    inner join (
        select organization_id, max(snapshot_date) as last_day
        from known_days
        group by organization_id
    ) as known_until
        on known_until.organization_id = days.organization_id
        and known_until.last_day >= cast(on_day as date)
    where days.snapshot_date <= cast(on_day as date)
    group by days.organization_id, days.holder_type
),

-- the first replacement after known_at took away what was believed then
believed as (
    select rows.*
    from internal.restated_rows as rows
    inner join asked
        on asked.organization_id = rows.organization_id
        and asked.holder_type = rows.holder_type
        and asked.as_of = rows.snapshot_date
    where rows.restated_at > cast(known_at as timestamptz)
    qualify row_number() over (
        partition by rows.organization_id, rows.holder_type, rows.holder_id order by rows.restated_at
    ) = 1
)

select
    cast(on_day as date) as snapshot_date,
    asked.as_of = cast(on_day as date) as is_observed,
    asked.as_of,
    history.organization_id,
    history.organization_name,
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
    history.key_hint,
    history.expires_at,
    history.assigned_at,
    history.valid_from,
    history.valid_to
from license_history as history
inner join asked
    on asked.organization_id = history.organization_id
    and asked.holder_type = history.holder_type
anti join believed
    on believed.organization_id = history.organization_id
    and believed.holder_type = history.holder_type
    and believed.holder_id = history.holder_id
where history.valid_from <= asked.as_of
    and (history.valid_to is null or history.valid_to > asked.as_of)
union all
select
    cast(on_day as date),
    asked.as_of = cast(on_day as date),
    asked.as_of,
    believed.organization_id,
    believed.organization_name,
    believed.holder_type,
    believed.holder_id,
    believed.license_type,
    believed.role,
    believed.status,
    believed.status_raw,
    believed.name,
    believed.email,
    believed.owner_user_id,
    believed.owner_email,
    believed.owner_type,
    believed.owner_status,
    believed.workspace_id,
    believed.workspace_name,
    believed.key_hint,
    believed.expires_at,
    believed.assigned_at,
    null,
    null
from believed
inner join asked
    on asked.organization_id = believed.organization_id
    and asked.holder_type = believed.holder_type
where believed.was_there
