-- One row per holder on a day, as the last observed day up to it shows it. Answers: who held what on that day?
-- Nothing before the first snapshot day; is_observed is false where the roster of that very day is not known, and as_of
-- says of which day it is. With known_at, it answers what the warehouse answered then: from the versions of the days that
-- were loaded by that time, and the table of license types that it was built with (valid_from and valid_to are null).
create macro licenses_on(on_day, known_at := null) as table
with

-- 1. As known now.
asked as (
    select organization_id, holder_type, max(snapshot_date) as as_of
    from internal.roster_days
    where snapshot_date <= cast(on_day as date)
        and known_at is null
    group by organization_id, holder_type
),

-- 2. As known then: which version of each day stood, and which rosters and lists did it know?
all_versions as (
    select *
    from internal.snapshot_versions
    where known_from <= cast(known_at as timestamptz)
        and coalesce(known_to > cast(known_at as timestamptz), true)
),

versions as (
    select *
    from all_versions
    where snapshot_date <= cast(on_day as date)
),

rosters_then as (
    select organization_id, 'user' as holder_type, snapshot_date from versions where members_known
    union all
    select organization_id, 'api_key', snapshot_date from versions where keys_known
    union all
    select organization_id, 'invite', snapshot_date from versions where invites_known
),

asked_then as (
    select organization_id, holder_type, max(snapshot_date) as as_of
    from rosters_then
    group by organization_id, holder_type
),

-- the list of members in which the owners of keys were looked up
looked_up as (
    select asked_then.organization_id, max(rosters_then.snapshot_date) as as_of
    from asked_then
    inner join rosters_then
        on rosters_then.organization_id = asked_then.organization_id
        and rosters_then.holder_type = 'user'
        and rosters_then.snapshot_date <= asked_then.as_of
    where asked_then.holder_type = 'api_key'
    group by asked_then.organization_id
),

wanted as (
    select organization_id, holder_type, as_of
    from asked_then
    union
    select organization_id, 'user', as_of
    from looked_up
),

-- the first replacement after known_at took away what was believed then
replaced as (
    select *
    from internal.restated_rows
    where restated_at > cast(known_at as timestamptz)
    qualify row_number() over (
        partition by organization_id, snapshot_date, holder_type, holder_id order by restated_at
    ) = 1
),

rows_then as (
    select
        wanted.as_of,
        told.organization_id,
        told.holder_type,
        told.holder_id,
        told.license_told,
        told.role,
        told.status,
        told.status_raw,
        told.name,
        told.email,
        told.owner_user_id,
        told.owner_email,
        told.owner_type,
        told.owner_status,
        told.workspace_id,
        told.workspace_name,
        told.key_scope,
        told.key_hint,
        told.expires_at,
        told.assigned_at
    from internal.told_stretches as told
    inner join wanted
        on wanted.organization_id = told.organization_id
        and wanted.holder_type = told.holder_type
        and wanted.as_of >= told.valid_from
        and wanted.as_of < coalesce(told.valid_to, date '9999-12-31')
    semi join internal.roster_days as days
        on days.organization_id = told.organization_id
        and days.holder_type = told.holder_type
        and days.snapshot_date = wanted.as_of
    anti join replaced
        on replaced.organization_id = told.organization_id
        and replaced.holder_type = told.holder_type
        and replaced.snapshot_date = wanted.as_of
        and replaced.holder_id = told.holder_id
    union all
    select
        snapshot_date,
        organization_id,
        holder_type,
        holder_id,
        case when role is null and holder_type <> 'api_key' then license_type end,
        role,
        status,
        status_raw,
        name,
        email,
        owner_user_id,
        owner_email,
        owner_type,
        owner_status,
        workspace_id,
        workspace_name,
        key_scope,
        key_hint,
        expires_at,
        assigned_at
    from replaced
    semi join wanted
        on wanted.organization_id = replaced.organization_id
        and wanted.holder_type = replaced.holder_type
        and wanted.as_of = replaced.snapshot_date
    where was_there
),

defaults_then as (
    select organization_id, arg_max(default_workspace, snapshot_date) as workspace_id
    from all_versions
    where default_workspace is not null
    group by organization_id
),

-- keys of no workspace, whichever day told it
of_organization_then as (
    select told.organization_id, told.holder_id
    from internal.told_stretches as told
    inner join all_versions as days
        on days.organization_id = told.organization_id
        and days.keys_known
        and days.snapshot_date >= told.valid_from
        and days.snapshot_date < coalesce(told.valid_to, date '9999-12-31')
    semi join internal.roster_days as known
        on known.organization_id = told.organization_id
        and known.holder_type = 'api_key'
        and known.snapshot_date = days.snapshot_date
    anti join replaced
        on replaced.holder_type = 'api_key'
        and replaced.organization_id = told.organization_id
        and replaced.holder_id = told.holder_id
        and replaced.snapshot_date = days.snapshot_date
    where told.key_scope = 'organization'
    union
    select organization_id, holder_id
    from replaced
    where was_there
        and key_scope = 'organization'
),

organization_names_then as (
    select asked_then.organization_id, asked_then.holder_type, arg_max(versions.organization_name, versions.snapshot_date) as name
    from asked_then
    inner join versions
        on versions.organization_id = asked_then.organization_id
        and versions.snapshot_date <= asked_then.as_of
        and versions.organization_name is not null
    group by asked_then.organization_id, asked_then.holder_type
),

placed as (
    select
        rows_then.* replace (
            case
                when rows_then.holder_type = 'api_key' and of_organization_then.holder_id is null
                    then coalesce(rows_then.workspace_id, defaults_then.workspace_id)
                else rows_then.workspace_id
            end as workspace_id,
            case when of_organization_then.holder_id is not null then 'organization' end as key_scope
        ),
        defaults_then.workspace_id as default_workspace
    from rows_then
    left join defaults_then on defaults_then.organization_id = rows_then.organization_id
    left join of_organization_then
        on rows_then.holder_type = 'api_key'
        and of_organization_then.organization_id = rows_then.organization_id
        and of_organization_then.holder_id = rows_then.holder_id
),

nameless as (
    select distinct organization_id, workspace_id, default_workspace, as_of
    from placed
    where workspace_id is not null
        and workspace_name is null
),

names_told as (
    select nameless.organization_id, nameless.workspace_id, days.snapshot_date, told.workspace_name
    from nameless
    inner join internal.told_stretches as told
        on told.organization_id = nameless.organization_id
        and told.workspace_id = nameless.workspace_id
        and told.workspace_name is not null
    inner join all_versions as days
        on days.organization_id = told.organization_id
        and days.keys_known
        and days.snapshot_date >= told.valid_from
        and days.snapshot_date < coalesce(told.valid_to, date '9999-12-31')
    semi join internal.roster_days as known
        on known.organization_id = told.organization_id
        and known.holder_type = 'api_key'
        and known.snapshot_date = days.snapshot_date
    anti join replaced
        on replaced.holder_type = 'api_key'
        and replaced.organization_id = told.organization_id
        and replaced.holder_id = told.holder_id
        and replaced.snapshot_date = days.snapshot_date
    union
    select replaced.organization_id, replaced.workspace_id, replaced.snapshot_date, replaced.workspace_name
    from replaced
    semi join nameless
        on nameless.organization_id = replaced.organization_id
        and nameless.workspace_id = replaced.workspace_id
    where replaced.was_there
        and replaced.workspace_name is not null
),

-- as in license_history: the last name told up to the day, of the default workspace else the first
workspace_names_then as (
    select
        nameless.organization_id,
        nameless.workspace_id,
        coalesce(
            arg_max(told.workspace_name, told.snapshot_date) filter (where told.snapshot_date <= nameless.as_of),
            arg_min(told.workspace_name, told.snapshot_date) filter (where nameless.workspace_id = nameless.default_workspace)
        ) as workspace_name
    from nameless
    inner join names_told as told
        on told.organization_id = nameless.organization_id
        and told.workspace_id = nameless.workspace_id
    group by nameless.organization_id, nameless.workspace_id
),

meanings as (
    select role, license_type, valid_from, valid_to
    from internal.license_type_versions
    where known_from <= cast(known_at as timestamptz)
        and coalesce(known_to > cast(known_at as timestamptz), true)
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
select
    cast(on_day as date),
    asked_then.as_of = cast(on_day as date),
    asked_then.as_of,
    placed.organization_id,
    organization_names_then.name,
    placed.holder_type,
    placed.holder_id,
    case
        when placed.holder_type = 'api_key' then 'API Key'
        when placed.role is null then placed.license_told
        else coalesce(meanings.license_type, 'Unmapped (' || placed.role || ')')
    end,
    placed.role,
    placed.status,
    placed.status_raw,
    placed.name,
    placed.email,
    placed.owner_user_id,
    coalesce(placed.owner_email, case when placed.owner_status = 'unknown' then owners.email end),
    placed.owner_type,
    case
        when placed.owner_status is distinct from 'unknown'
            or placed.owner_user_id is null
            or coalesce(placed.owner_type, 'user') <> 'user'
            or looked_up.as_of is null
            then placed.owner_status
        when owners.holder_id is not null then 'member'
        when epoch_us(placed.assigned_at) < epoch_us(looked_up.as_of + 1) then 'left'
        else 'unknown'
    end,
    placed.workspace_id,
    coalesce(placed.workspace_name, workspace_names_then.workspace_name),
    case
        when placed.holder_type = 'api_key' and placed.workspace_id is not null then 'workspace'
        else placed.key_scope
    end,
    placed.key_hint,
    placed.expires_at,
    placed.assigned_at,
    null,
    null
from placed
inner join asked_then
    on asked_then.organization_id = placed.organization_id
    and asked_then.holder_type = placed.holder_type
    and asked_then.as_of = placed.as_of
left join organization_names_then
    on organization_names_then.organization_id = placed.organization_id
    and organization_names_then.holder_type = placed.holder_type
left join looked_up
    on placed.holder_type = 'api_key'
    and looked_up.organization_id = placed.organization_id
left join placed as owners
    on placed.holder_type = 'api_key'
    and owners.holder_type = 'user'
    and owners.organization_id = placed.organization_id
    and owners.as_of = looked_up.as_of
    and owners.holder_id = placed.owner_user_id
left join workspace_names_then
    on placed.holder_type = 'api_key'
    and workspace_names_then.organization_id = placed.organization_id
    and workspace_names_then.workspace_id = placed.workspace_id
left join meanings
    on meanings.role = placed.role
    and placed.as_of >= coalesce(meanings.valid_from, placed.as_of)
    and placed.as_of < coalesce(meanings.valid_to, date '9999-12-31')
