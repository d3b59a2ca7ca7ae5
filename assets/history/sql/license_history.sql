-- One row per holder and unbroken stretch of observed days with equal attributes (type 2, nulls equal nulls).
-- Answers: who held what, since when, until when? Usage, provenance and the organization's name are no attributes.
-- Not knowing is no change: what is looked up in a list that could not be read keeps the value last known; the license
-- type follows the role as license_types.csv says for that day.
with

told as (
    from (select * from internal.told_stretches where holder_type <> 'api_key')
    union all by name
    from internal.told_keys
),

-- 1. Stretches as they were told, cut where something else may be derived from them.
starts as (
    select organization_id, holder_type, holder_id, first_number, first_number as piece_number
    from told
    semi join internal.stretch_cuts using (organization_id, holder_type, holder_id, first_number)
    union
    select organization_id, holder_type, holder_id, first_number, cut_number
    from internal.stretch_cuts
),

ends as (
    select
        *,
        lead(piece_number) over (
            partition by organization_id, holder_type, holder_id, first_number order by piece_number
        ) - 1 as last_piece_number
    from starts
),

pieces as (
    select
        told.* replace (
            coalesce(ends.piece_number, told.first_number) as first_number,
            coalesce(ends.last_piece_number, told.last_number) as last_number
        )
    from told
    left join ends using (organization_id, holder_type, holder_id, first_number)
),

-- 2. What is looked up, as of each piece's first day.
dated as (
    select
        pieces.* exclude (valid_from, valid_to),
        days.snapshot_date as day,
        days.owner_as_of
    from pieces
    inner join internal.roster_days as days
        on days.organization_id = pieces.organization_id
        and days.holder_type = pieces.holder_type
        and days.day_number = pieces.first_number
),

first_lists as (
    select organization_id, min(snapshot_date) as first_day
    from internal.roster_days
    where holder_type = 'user'
    group by organization_id
),

-- Owners are looked up again only where they could not be: in the list of members that was read last; before there was
-- one, in the first: who had been added by then was a member already.
owners as (
    select
        dated.organization_id,
        dated.holder_id,
        dated.first_number,
        members.email,
        case
            when members.holder_id is not null then 'member'
            -- the key was there already when the list was read, and its owner was not
            when epoch_us(dated.assigned_at) < epoch_us(dated.owner_as_of + 1) then 'left'
            else 'unknown'
        end as status
    from dated
    inner join first_lists on first_lists.organization_id = dated.organization_id
    left join internal.told_stretches as members
        on members.holder_type = 'user'
        and members.organization_id = dated.organization_id
        and members.holder_id = dated.owner_user_id
        and greatest(dated.day, first_lists.first_day) >= members.valid_from
        and greatest(dated.day, first_lists.first_day) < coalesce(members.valid_to, date '9999-12-31')
        and (dated.owner_as_of is not null or epoch_us(members.assigned_at) < epoch_us(dated.day + 1))
    where dated.holder_type = 'api_key'
        and dated.owner_status = 'unknown'
        and dated.owner_user_id is not null
        and coalesce(dated.owner_type, 'user') = 'user'
),

names as (
    select
        dated.organization_id,
        dated.holder_id,
        dated.first_number,
        -- before any was told, the first that was: that it became known is no change
        coalesce(
            arg_max(names.workspace_name, names.valid_from) filter (where names.valid_from <= dated.day),
            arg_min(names.workspace_name, names.valid_from)
        ) as workspace_name
    from dated
    inner join internal.workspace_names as names
        on names.organization_id = dated.organization_id
        and names.workspace_id = dated.workspace_id
    where dated.holder_type = 'api_key'
        and dated.workspace_name is null
    group by dated.organization_id, dated.holder_id, dated.first_number
),

seated as (
    select distinct dated.organization_id, dated.holder_id, dated.first_number
    from dated
    inner join internal.seated_invites as members
        on members.organization_id = dated.organization_id
        and members.invite_id = dated.holder_id
        and coalesce(members.address = lower(dated.email), members.address is null)
        and dated.day >= members.valid_from
        and dated.day < coalesce(members.valid_to, date '9999-12-31')
    where dated.holder_type = 'invite'
),

by_type as (
    select license_type, bool_or(takes_seat) as takes_seat
    from internal.license_types
    group by license_type
),

derived as (
    select
        dated.organization_id,
        dated.holder_type,
        dated.holder_id,
        case
            when dated.holder_type = 'api_key' then 'API Key'
            when dated.role is null then dated.license_told
            else coalesce(meanings.license_type, 'Unmapped (' || dated.role || ')')
        end as license_type,
        dated.role,
        dated.status,
        -- Who takes a seat is the role's to say; where it is not known, the license type's; where that is not known
        -- either, it counts as taking one, so that no cost is hidden. Keys and the disabled take none.
        case
            when dated.holder_type = 'api_key' or dated.status = 'Disabled' then false
            when dated.holder_type = 'invite' and not billing.invites_take_seats then false
            when seated.holder_id is not null then false
            when dated.role is null then coalesce(by_type.takes_seat, true)
            else coalesce(meanings.takes_seat, true)
        end as takes_seat,
        dated.status_raw,
        dated.name,
        dated.email,
        dated.owner_user_id,
        coalesce(dated.owner_email, owners.email) as owner_email,
        dated.owner_type,
        coalesce(owners.status, dated.owner_status) as owner_status,
        dated.workspace_id,
        coalesce(dated.workspace_name, names.workspace_name) as workspace_name,
        dated.key_scope,
        dated.key_hint,
        dated.expires_at,
        dated.assigned_at,
        dated.first_number,
        dated.last_number
    from dated
    left join owners
        on owners.organization_id = dated.organization_id
        and owners.holder_id = dated.holder_id
        and owners.first_number = dated.first_number
        and dated.holder_type = 'api_key'
    left join names
        on names.organization_id = dated.organization_id
        and names.holder_id = dated.holder_id
        and names.first_number = dated.first_number
        and dated.holder_type = 'api_key'
    left join seated
        on seated.organization_id = dated.organization_id
        and seated.holder_id = dated.holder_id
        and seated.first_number = dated.first_number
        and dated.holder_type = 'invite'
    left join internal.license_types as meanings
        on meanings.role = dated.role
        and dated.day >= coalesce(meanings.valid_from, dated.day)
        and dated.day < coalesce(meanings.valid_to, date '9999-12-31')
    left join by_type on by_type.license_type = dated.license_told
    left join internal.finance_organizations as billing on billing.organization_id = dated.organization_id
),

-- 3. Pieces that follow upon each other and are equal now are one stretch.
compared as (
    select
        *,
        first_number is distinct from 1 + lag(last_number) over holder
            or attributes is distinct from lag(attributes) over holder as begins
    from (
        select
            *,
            row(
                license_type, role, status, takes_seat, status_raw, name, email, owner_user_id, owner_email, owner_type,
                owner_status, workspace_id, workspace_name, key_scope, key_hint, expires_at, assigned_at
            ) as attributes
        from derived
    )
    window holder as (partition by organization_id, holder_type, holder_id order by first_number)
),

ended as (
    select
        *,
        -- the last piece before the next one that begins
        min(case when ends_here then last_number end) over (
            partition by organization_id, holder_type, holder_id
            order by first_number
            rows between current row and unbounded following
        ) as end_number
    from (
        select
            *,
            coalesce(lead(begins) over (partition by organization_id, holder_type, holder_id order by first_number), true)
                as ends_here
        from compared
    )
),

links as (
    select organization_id, holder_id, assigned_at, max(invite_id) as invite_id
    from internal.invite_links
    group by organization_id, holder_id, assigned_at
)

select
    ended.organization_id,
    ended.holder_type,
    ended.holder_id,
    lasts.organization_name,
    -- attributes
    ended.license_type,
    ended.takes_seat,
    ended.role,
    ended.status,
    ended.status_raw,
    ended.name,
    ended.email,
    ended.owner_user_id,
    ended.owner_email,
    ended.owner_type,
    ended.owner_status,
    ended.workspace_id,
    ended.workspace_name,
    ended.key_scope,
    ended.key_hint,
    ended.expires_at,
    ended.assigned_at,
    links.invite_id,
    -- when
    firsts.snapshot_date as valid_from,
    lasts.next_date as valid_to,
    lasts.next_date is null as is_current,
    ended.end_number - ended.first_number + 1 as days_observed
from ended
inner join internal.roster_days as firsts
    on firsts.organization_id = ended.organization_id
    and firsts.holder_type = ended.holder_type
    and firsts.day_number = ended.first_number
inner join internal.roster_days as lasts
    on lasts.organization_id = ended.organization_id
    and lasts.holder_type = ended.holder_type
    and lasts.day_number = ended.end_number
left join links
    on ended.holder_type = 'user'
    and links.organization_id = ended.organization_id
    and links.holder_id = ended.holder_id
    and links.assigned_at is not distinct from ended.assigned_at
where ended.begins
order by
    ended.organization_id,
    ended.holder_type,
    ended.holder_id,
    firsts.snapshot_date
