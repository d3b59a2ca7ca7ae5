-- One row per row of the file: its words as ours, as far as each means one thing. What is wrong with a row is not said
-- here, only what could be understood: a null beside a word is a word that was not.
-- Answers: what do the file's words mean?
-- reads: import_cells, import_instants, import_role_words, import_status_words, license_types
with

cells as (
    select
        *,
        lower(regexp_replace(coalesce(role, license_type), '[\s_-]+', '_', 'g')) as role_word,
        lower(regexp_replace(holder_type, '[\s_-]+', '_', 'g')) as type_word
    from import_cells
),

holder_types as (
    select *
    from (values
        ('user', 'user'), ('member', 'user'), ('api_key', 'api_key'), ('key', 'api_key'),
        ('invite', 'invite'), ('invitation', 'invite'), ('pending_invite', 'invite')
    ) as words (word, holder_type)
),

-- our own words, the API's, and what the mapping file adds, which goes before
status_words as (
    select word, arg_min(status, rank) as status, arg_min(status_raw, rank) as status_raw
    from (
        select lower(word) as word, status, null as status_raw, 0 as rank
        from import_status_words
        union all
        select *, 1
        from (values
            ('active', 'Active', 'active'), ('pending', 'Pending', 'pending'), ('disabled', 'Disabled', null),
            ('inactive', 'Disabled', 'inactive'), ('archived', 'Disabled', 'archived'), ('expired', 'Disabled', 'expired')
        )
    )
    group by word
),

-- a role as the API says it, else as the license type that only it maps to is shown
role_words as (
    select word, arg_min(role, rank) as role
    from (
        select lower(regexp_replace(word, '[\s_-]+', '_', 'g')) as word, role, 0 as rank
        from import_role_words
        union all
        select lower(role), role, 1
        from license_types
        union all
        select lower(regexp_replace(license_type, '[\s_-]+', '_', 'g')), min(role), 2
        from license_types
        group by all
        having count(*) = 1
    )
    group by word
),

displayed as (
    select lower(license_type) as word, min(license_type) as license_type
    from license_types
    group by lower(license_type)
)

select
    cells.row_number,
    cells.holder_id as given_id,
    cells.type_word,
    coalesce(
        holder_types.holder_type,
        case
            when cells.holder_id like 'user\_%' escape '\' then 'user'
            when cells.holder_id like 'apikey\_%' escape '\' then 'api_key'
            when cells.holder_id like 'invite\_%' escape '\' then 'invite'
            when status_words.status = 'Pending' then 'invite'
            else 'user'
        end
    ) as holder_type,
    holder_types.word is not null as type_understood,
    -- license
    coalesce(cells.role, cells.license_type) as role_told,
    role_words.role as role_understood,
    coalesce(role_words.role, cells.role) as role,
    displayed.license_type as license_displayed,
    coalesce(displayed.license_type, cells.license_type) as license_type,
    -- status
    cells.status as status_told,
    coalesce(status_words.status, nullif(regexp_extract(cells.status, '^Unmapped \(.*\)$'), '')) as status,
    coalesce(cells.status_raw, status_words.status_raw) as status_raw,
    -- who
    cells.name,
    coalesce(cells.email, made_up_from(cells.holder_id)) as email,
    cells.owner_user_id,
    cells.owner_email,
    cells.owner_type,
    case
        when lower(cells.owner_status) in ('member', 'left', 'service_account', 'unknown') then lower(cells.owner_status)
    end as owner_status,
    cells.workspace_id,
    cells.workspace_name,
    case when lower(cells.key_scope) in ('workspace', 'organization') then lower(cells.key_scope) end as key_scope,
    cells.key_hint,
    -- when
    cells.assigned_at as assigned_told,
    assigned.instant as assigned_at,
    cells.expires_at as expires_told,
    expiries.instant as expires_at,
    cells.last_used_at as used_told,
    uses.instant as used_at,
    coalesce(uses.has_zone, false) as used_has_zone,
    coalesce(lower(cells.last_used_precision), 'second') <> 'day' as used_to_the_second,
    -- what the row says of its own day and organization
    cells.snapshot_date,
    cells.organization_id
from cells
left join holder_types on holder_types.word = cells.type_word
left join role_words on role_words.word = cells.role_word
left join status_words on status_words.word = lower(cells.status)
left join displayed on displayed.word = lower(cells.license_type)
left join import_instants as assigned on assigned.word = cells.assigned_at
left join import_instants as expiries on expiries.word = cells.expires_at
left join import_instants as uses on uses.word = cells.last_used_at
