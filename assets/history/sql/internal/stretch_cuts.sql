-- One row per stretch as it was told, and observed day within it from which on something else may be derived from it.
-- Answers: where may a stretch of the history begin though nothing else was told?
-- reads: internal.license_types, internal.roster_days, internal.seated_invites, internal.told_keys,
--     internal.told_stretches, internal.workspace_names
with

told as (
    select
        organization_id,
        holder_type,
        holder_id,
        role,
        email,
        assigned_at,
        valid_from,
        valid_to,
        first_number,
        last_number
    from internal.told_stretches
),

keys as (
    select *
    from internal.told_keys
),

changes as (
    -- a role's meaning
    select told.organization_id, told.holder_type, told.holder_id, told.first_number, told.last_number, bounds.day
    from told
    inner join (select role, unnest([valid_from, valid_to]) as day from internal.license_types) as bounds
        on bounds.role = told.role
        and bounds.day > told.valid_from
        and bounds.day < coalesce(told.valid_to, date '9999-12-31')
    union
    -- a key's owner, while nobody could look
    select keys.organization_id, 'api_key', keys.holder_id, keys.first_number, keys.last_number, bounds.day
    from keys
    inner join (
        select
            organization_id,
            holder_id,
            unnest([valid_from, valid_to, cast(make_timestamp(epoch_us(assigned_at)) as date)]) as day
        from told
        where holder_type = 'user'
    ) as bounds
        on bounds.organization_id = keys.organization_id
        and bounds.holder_id = keys.owner_user_id
        and bounds.day > keys.valid_from
        and bounds.day < coalesce(keys.valid_to, date '9999-12-31')
    where keys.owner_status = 'unknown'
    union
    -- its workspace's name, while nobody could look
    select keys.organization_id, 'api_key', keys.holder_id, keys.first_number, keys.last_number, names.valid_from
    from keys
    inner join internal.workspace_names as names
        on names.organization_id = keys.organization_id
        and names.workspace_id = keys.workspace_id
        and names.valid_from > keys.valid_from
        and names.valid_from < coalesce(keys.valid_to, date '9999-12-31')
    where keys.workspace_name is null
    union
    -- an invited person is a member from now on, or no more
    select told.organization_id, 'invite', told.holder_id, told.first_number, told.last_number, bounds.day
    from told
    inner join (
        select organization_id, invite_id, address, unnest([valid_from, valid_to]) as day
        from internal.seated_invites
    ) as bounds
        on bounds.organization_id = told.organization_id
        and bounds.invite_id = told.holder_id
        and coalesce(bounds.address = lower(told.email), bounds.address is null)
        and bounds.day > told.valid_from
        and bounds.day < coalesce(told.valid_to, date '9999-12-31')
    where told.holder_type = 'invite'
)

select distinct
    changes.organization_id,
    changes.holder_type,
    changes.holder_id,
    changes.first_number,
    days.day_number as cut_number
from changes
asof inner join internal.roster_days as days
    on days.organization_id = changes.organization_id
    and days.holder_type = changes.holder_type
    and days.snapshot_date >= changes.day
where coalesce(days.day_number <= changes.last_number, true)
order by all
