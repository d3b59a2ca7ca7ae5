-- One row per piece (temp.dated_pieces), with what is looked up, mapped or filled in as of its first day.
-- Answers: who held what on these days, and does it take a seat? Not knowing is no change: what is looked up in a list
-- that could not be read keeps the value last known; the license type follows the role as license_types.csv says for
-- that day.
-- reads: inputs.invite_conventions, internal.license_types, internal.roster_days, internal.seated_invites,
--     internal.told_stretches, internal.workspace_names, temp.dated_pieces
with

dated as (
    select *
    from temp.dated_pieces
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
)

select
    dated.organization_id,
    dated.holder_type,
    dated.holder_id,
    case
        when dated.holder_type = 'api_key' then api_key_license()
        when dated.role is null then dated.license_told
        else coalesce(meanings.license_type, unmapped(dated.role))
    end as license_type,
    dated.role,
    dated.status,
    -- Who takes a seat is the role's to say; where it is not known, the license type's; where that is not known
    -- either, it counts as taking one, so that no cost is hidden. Keys and the disabled take none.
    case
        when dated.holder_type = 'api_key' or dated.status = 'Disabled' then false
        when dated.holder_type = 'invite' and not invites_take_seats(own.take_seats, every.take_seats) then false
        when seated.holder_id is not null then false
        when dated.role is null then takes_seat(by_type.takes_seat)
        else takes_seat(meanings.takes_seat)
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
left join inputs.invite_conventions as own on own.organization_id = dated.organization_id
left join inputs.invite_conventions as every on every.organization_id is null
