-- One row per holder at the close of the day: `license_assignments` as it is made for every day, and over it what only
-- the file knows: its word for the status, a license type whose role nobody maps any more, the owners, a later use.
-- Answers: what does the file tell of each holder that the common ending does not?
-- reads: import_holders, license_assignments_derived, observation
with

told as (
    select
        import_holders.*,
        -- a use after the day's end, by an earlier holder of the id, or at an hour that has no time zone tells nothing
        used_at is not null
        and used_has_zone
        and used_at < observation.day_end
        and used_since_assigned(
            case when used_to_the_second then used_at end, cast(used_at as date), assigned_at
        ) as tells_use
    from import_holders, observation
    where not is_later
),

with_use as (
    select
        told.*,
        derived.last_used_at is null
        or (cast(told.used_at as date), told.used_to_the_second, told.used_at)
        > (cast(derived.last_used_at as date), derived.last_used_precision = 'second', derived.last_used_at) as is_latest
    from told
    inner join license_assignments_derived as derived
        on derived.holder_type = told.holder_type
        and derived.holder_id = told.holder_id
)

select
    derived.* replace (
        case
            when told.holder_type <> 'api_key' and told.role_understood is null then told.license_type
            else derived.license_type
        end as license_type,
        coalesce(told.status, case told.holder_type when 'invite' then 'Pending' else 'Active' end) as status,
        case when told.holder_type = 'api_key' then coalesce(told.owner_email, derived.owner_email) end as owner_email,
        case when told.holder_type = 'api_key' then coalesce(told.owner_status, derived.owner_status) end as owner_status,
        case when told.holder_type = 'api_key' then coalesce(derived.workspace_name, told.workspace_name) end as workspace_name,
        case
            when not (told.tells_use and told.is_latest) then derived.last_used_at
            when told.used_to_the_second then told.used_at
            else cast(cast(told.used_at as date) as timestamptz)
        end as last_used_at,
        case
            when not (told.tells_use and told.is_latest) then derived.last_used_precision
            when told.used_to_the_second then 'second'
            else 'day'
        end as last_used_precision,
        case when told.tells_use and told.is_latest then 'imported' else derived.last_used_source end as last_used_source,
        case when told.tells_use then 'used' else derived.last_used_state end as last_used_state
    )
from license_assignments_derived as derived
inner join with_use as told
    on told.holder_type = derived.holder_type
    and told.holder_id = derived.holder_id
