-- One row per holder on a day, as the warehouse answered at a given time. Answers: what did we believe then?
-- From the versions of the days that were loaded by that time, and the table of license types that it was built with; it
-- is licenses_on(day, known_at := time). valid_from and valid_to are null: the stretches are known only now.
-- reads: internal.license_type_versions, internal.restated_rows, internal.roster_days, internal.snapshot_versions,
--     internal.told_stretches
create macro licenses_known_at(on_day, known_at) as table
with

-- Which version of each day stood, and which rosters and lists did it know?
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

-- the list of members in which the owners of keys were looked up: the last up to the day, else the first
looked_up as (
    select
        asked_then.organization_id,
        coalesce(
            max(lists.snapshot_date) filter (where lists.snapshot_date <= asked_then.as_of),
            min(lists.snapshot_date)
        ) as as_of
    from asked_then
    inner join all_versions as lists
        on lists.organization_id = asked_then.organization_id
        and lists.members_known
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

-- workspaces that a key's row does not name
nameless as (
    select
        rows_then.organization_id,
        coalesce(rows_then.workspace_id, defaults_then.workspace_id) as workspace_id,
        any_value(rows_then.as_of) as as_of
    from rows_then
    left join defaults_then on defaults_then.organization_id = rows_then.organization_id
    where rows_then.holder_type = 'api_key'
        and rows_then.workspace_name is null
        and coalesce(rows_then.workspace_id, defaults_then.workspace_id) is not null
    group by rows_then.organization_id, coalesce(rows_then.workspace_id, defaults_then.workspace_id)
),

-- what any day's version told of keys of no workspace, and of those workspaces' names
keys_then as (
    select told.organization_id, told.holder_id, days.snapshot_date, told.workspace_id, told.workspace_name, told.key_scope
    from internal.told_stretches as told
    inner join all_versions as days
        on days.organization_id = told.organization_id
        and days.keys_known
        and days.snapshot_date >= told.valid_from
        and days.snapshot_date < coalesce(told.valid_to, date '9999-12-31')
    left join nameless
        on nameless.organization_id = told.organization_id
        and nameless.workspace_id = told.workspace_id
        and told.workspace_name is not null
    semi join internal.roster_days as known
        on known.organization_id = told.organization_id
        and known.holder_type = 'api_key'
        and known.snapshot_date = days.snapshot_date
    anti join replaced
        on replaced.holder_type = 'api_key'
        and replaced.organization_id = told.organization_id
        and replaced.holder_id = told.holder_id
        and replaced.snapshot_date = days.snapshot_date
    where told.holder_type = 'api_key'
        and (told.key_scope = 'organization' or nameless.workspace_id is not null)
    union all
    select replaced.organization_id, replaced.holder_id, snapshot_date, workspace_id, workspace_name, key_scope
    from replaced
    -- of a day that had no version by then, nothing was known
    semi join all_versions as days using (organization_id, snapshot_date)
    where replaced.holder_type = 'api_key'
        and replaced.was_there
),

of_organization_then as (
    select distinct organization_id, holder_id
    from keys_then
    where key_scope = 'organization'
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
        )
    from rows_then
    left join defaults_then on defaults_then.organization_id = rows_then.organization_id
    left join of_organization_then
        on rows_then.holder_type = 'api_key'
        and of_organization_then.organization_id = rows_then.organization_id
        and of_organization_then.holder_id = rows_then.holder_id
),

-- as in license_history: the last name told up to the day, else the first
workspace_names_then as (
    select
        nameless.organization_id,
        nameless.workspace_id,
        coalesce(
            arg_max(told.workspace_name, told.snapshot_date) filter (where told.snapshot_date <= nameless.as_of),
            arg_min(told.workspace_name, told.snapshot_date)
        ) as workspace_name
    from nameless
    inner join keys_then as told
        on told.organization_id = nameless.organization_id
        and told.workspace_id = nameless.workspace_id
        and told.workspace_name is not null
    group by nameless.organization_id, nameless.workspace_id, nameless.as_of
),

meanings as (
    select role, license_type, valid_from, valid_to
    from internal.license_type_versions
    where known_from <= cast(known_at as timestamptz)
        and coalesce(known_to > cast(known_at as timestamptz), true)
)

select
    cast(on_day as date) as snapshot_date,
    asked_then.as_of = cast(on_day as date) as is_observed,
    asked_then.as_of,
    placed.organization_id,
    organization_names_then.name as organization_name,
    placed.holder_type,
    placed.holder_id,
    case
        when placed.holder_type = 'api_key' then 'API Key'
        when placed.role is null then placed.license_told
        else coalesce(meanings.license_type, 'Unmapped (' || placed.role || ')')
    end as license_type,
    placed.role,
    placed.status,
    placed.status_raw,
    placed.name,
    placed.email,
    placed.owner_user_id,
    coalesce(placed.owner_email, case when placed.owner_status = 'unknown' then owners.email end) as owner_email,
    placed.owner_type,
    case
        when placed.owner_status is distinct from 'unknown'
            or placed.owner_user_id is null
            or coalesce(placed.owner_type, 'user') <> 'user'
            or looked_up.as_of is null
            then placed.owner_status
        when owners.holder_id is not null then 'member'
        when looked_up.as_of <= placed.as_of and epoch_us(placed.assigned_at) < epoch_us(looked_up.as_of + 1) then 'left'
        else 'unknown'
    end as owner_status,
    placed.workspace_id,
    coalesce(placed.workspace_name, workspace_names_then.workspace_name) as workspace_name,
    case
        when placed.holder_type = 'api_key' and placed.workspace_id is not null then 'workspace'
        else placed.key_scope
    end as key_scope,
    placed.key_hint,
    placed.expires_at,
    placed.assigned_at,
    cast(null as date) as valid_from,
    cast(null as date) as valid_to
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
    and (looked_up.as_of <= placed.as_of or epoch_us(owners.assigned_at) < epoch_us(placed.as_of + 1))
left join workspace_names_then
    on placed.holder_type = 'api_key'
    and workspace_names_then.organization_id = placed.organization_id
    and workspace_names_then.workspace_id = placed.workspace_id
left join meanings
    on meanings.role = placed.role
    and placed.as_of >= coalesce(meanings.valid_from, placed.as_of)
    and placed.as_of < coalesce(meanings.valid_to, date '9999-12-31')
