-- One row per holder (member, API key, pending invite) at the close of each day, with all that is looked up for it.
-- Answers: who holds which license, for how long, owned by whom, and when was it last used, as far as anybody can know?
-- reads: holders, invite_links, license_types, observation, usage, watched, workspaces
with

members as (
    select day, holder_id as id, email
    from holders
    where holder_type = 'user'
),

-- Use up to the end of the day by whoever holds the license now; a holder by the number of its row, of which it is
-- quicker to keep hundreds of thousands apart.
last_uses as (
    select
        holders.rowid as holder,
        usage.source,
        max(usage.usage_date) as usage_date,
        max(usage.used_at) as used_at
    from usage
    inner join holders
        on holders.holder_type = usage.holder_type
        and holders.holder_id = usage.holder_id
    inner join observation on observation.day = holders.day
    where usage.usage_date <= observation.day
        and (usage.used_at is null or usage.used_at < observation.day_end)
        and used_since_assigned(usage.used_at, usage.usage_date, holders.assigned_at)
    group by holders.rowid, usage.source
),

last_use as (
    select
        holder,
        source,
        coalesce(used_at, cast(usage_date as timestamptz)) as last_used_at,
        case when used_at is null then 'day' else 'second' end as precision
    from last_uses
    qualify row_number() over (
        partition by holder
        order by usage_date desc, used_at desc nulls last, source
    ) = 1
),

-- Sources that see all use of a kind of holder watched without a break up to (nearly) the day.
watched_now as (
    select observation.day, watched.holder_type, watched.since, least(watched.until, observation.day) as until
    from watched, observation
    where watched.sees = 'all'
        and watched.since <= observation.day
        and watched_up_to(watched.until, observation.day)
    qualify row_number() over (partition by observation.day, watched.holder_type order by watched.until desc) = 1
),

-- Kinds of holders of whom any source could have told something by the day.
looked_at as (
    select distinct observation.day, watched.holder_type
    from watched, observation
    where watched.since <= observation.day
)

select
    observation.day,
    observation.organization_name,
    holders.holder_type,
    holders.holder_id,
    case
        when holders.holder_type = 'api_key' then api_key_license()
        else coalesce(license_types.license_type, unmapped(coalesce(holders.role, 'no role')))
    end as license_type,
    holders.role,
    case
        when holders.holder_type = 'user' then 'Active'
        when holders.holder_type = 'api_key' and holders.status_raw = 'active' then 'Active'
        when holders.holder_type = 'api_key' and holders.status_raw in ('inactive', 'archived', 'expired') then 'Disabled'
        when holders.holder_type = 'invite' and holders.status_raw = 'pending' then 'Pending'
        else unmapped(holders.status_raw)
    end as status,
    holders.status_raw,
    holders.name,
    holders.email,
    -- owner: the principal that a key acts as, else its creator
    holders.owner_id as owner_user_id,
    owners.email as owner_email,
    case
        when holders.owner_id is null then null
        when holders.owner_shape like 'service_account%' then 'service_account'
        when holders.owner_shape like 'user%' then 'user'
        else holders.owner_shape
    end as owner_type,
    case
        when holders.holder_type <> 'api_key' then null
        when holders.owner_id is null then 'unknown'
        when holders.owner_shape like 'service_account%' then 'service_account'
        when owners.id is not null then 'member'
        when observation.members_known and holders.owner_shape like 'user%' then 'left'
        else 'unknown'
    end as owner_status,
    holders.workspace_id,
    workspaces.name as workspace_name,
    holders.key_scope,
    holders.key_hint,
    holders.expires_at,
    holders.assigned_at,
    invite_links.invite_id,
    -- use
    last_use.last_used_at,
    last_use.precision as last_used_precision,
    last_use.source as last_used_source,
    last_used_state(
        last_use.last_used_at is not null, watched_now.holder_type is not null, looked_at.holder_type is not null
    ) as last_used_state,
    watched_now.since as usage_observed_since,
    watched_now.until as usage_observed_until,
    -- how we know
    observation.provenance,
    observation.observed_at,
    observation.run_id
from holders
inner join observation on observation.day = holders.day
left join license_types
    on license_types.role = holders.role
    and coalesce(license_types.valid_from <= holders.day, true)
    and coalesce(license_types.valid_to > holders.day, true)
left join members as owners on owners.id = holders.owner_id and owners.day = holders.day
left join workspaces on workspaces.id = holders.workspace_id
left join last_use on last_use.holder = holders.rowid
left join invite_links
    on holders.holder_type = 'user'
    and invite_links.holder_id = holders.holder_id
    and invite_links.day = holders.day
-- who was assigned after what the sources have reached was watched by none
left join watched_now
    on watched_now.holder_type = holders.holder_type
    and watched_now.day = holders.day
    and coalesce(cast(holders.assigned_at as date) <= watched_now.until, true)
left join looked_at on looked_at.holder_type = holders.holder_type and looked_at.day = holders.day
