-- One row per holder and stretch of counted days with the same license, status and cost centre.
-- Answers: who pays for whom, from which counted day to which? Keys are here only where they are billed.
-- A stretch begins and ends on counted days, so that counting by day and by movement must give the same. Who was invited
-- and became a member is one person (seat_id): the invite's seat ends where the member's begins.
-- reads: internal.cost_centre_rules, internal.counted_days, internal.finance_organizations, internal.invite_links,
--     internal.seated_invites, license_history, temp.changed_seats
with

-- The first day in an invite's stretch on which the invited person is a member, whichever roster says so.
arrivals as (
    select invites.organization_id, invites.holder_id, invites.valid_from, min(members.valid_from) as arrived_on
    from license_history as invites
    inner join internal.seated_invites as members
        on members.organization_id = invites.organization_id
        and members.invite_id = invites.holder_id
        and coalesce(members.address = lower(invites.email), members.address is null)
        and members.valid_from > invites.valid_from
    where invites.holder_type = 'invite'
        and invites.takes_seat
    group by invites.organization_id, invites.holder_id, invites.valid_from
),

stretches as materialized (
    select
        row_number() over () as stretch_id,
        history.organization_id,
        history.holder_type,
        history.holder_id,
        history.license_type,
        history.status,
        case when links.holder_id is null then history.holder_type else 'user' end as seat_type,
        coalesce(links.holder_id, history.holder_id) as seat_id,
        history.takes_seat or (history.holder_type = 'api_key' and history.status = 'Active') as is_billed,
        history.name,
        -- a service account has a name that no Admin key may read
        coalesce(
            history.email,
            history.owner_email,
            case when history.owner_type = 'service_account' then history.owner_user_id end
        ) as email,
        lower(coalesce(history.email, history.owner_email)) as small_email,
        history.workspace_id,
        history.workspace_name,
        history.assigned_at,
        history.valid_from,
        least(arrivals.arrived_on, coalesce(history.valid_to, date '9999-12-31')) as valid_to
    from (
        select *
        from license_history
        semi join temp.changed_seats using (organization_id, holder_type, holder_id)
    ) as history
    left join internal.invite_links as links
        on history.holder_type = 'invite'
        and links.organization_id = history.organization_id
        and links.invite_id = history.holder_id
    left join arrivals
        on history.holder_type = 'invite'
        and arrivals.organization_id = history.organization_id
        and arrivals.holder_id = history.holder_id
        and arrivals.valid_from = history.valid_from
    inner join internal.finance_organizations as organizations
        on organizations.organization_id = history.organization_id
    where history.holder_type <> 'api_key'
        or organizations.bills_keys
),

rules as (
    select
        match,
        holder,
        cost_centre,
        coalesce(valid_from, date '0001-01-01') as valid_from,
        coalesce(valid_to, date '9999-12-31') as valid_to
    from internal.cost_centre_rules
),

-- The most specific rule has the lowest rank; no two of one rank hold for a holder on one day.
candidates as (
    select stretches.stretch_id, 1 as rank, rules.cost_centre, rules.valid_from, rules.valid_to
    from stretches
    inner join rules on rules.match = 'id' and rules.holder = stretches.holder_id
    union all
    select stretches.stretch_id, 2, rules.cost_centre, rules.valid_from, rules.valid_to
    from stretches
    inner join rules on rules.match = 'email' and rules.holder = stretches.small_email
    union all
    select stretches.stretch_id, 3, rules.cost_centre, rules.valid_from, rules.valid_to
    from stretches
    inner join rules on rules.match = 'workspace' and rules.holder = stretches.workspace_id
    union all
    select stretches.stretch_id, 4, rules.cost_centre, rules.valid_from, rules.valid_to
    from stretches
    inner join rules on rules.match = 'workspace' and rules.holder = stretches.workspace_name
    union all
    select stretches.stretch_id, 5, rules.cost_centre, rules.valid_from, rules.valid_to
    from stretches
    inner join rules on rules.match = 'domain' and rules.holder = regexp_extract(stretches.small_email, '@([^@]*)$', 1)
),

matches as (
    select
        candidates.stretch_id,
        candidates.rank,
        candidates.cost_centre,
        greatest(candidates.valid_from, stretches.valid_from) as from_day,
        least(candidates.valid_to, stretches.valid_to) as to_day
    from candidates
    inner join stretches
        on stretches.stretch_id = candidates.stretch_id
        and candidates.valid_from < stretches.valid_to
        and candidates.valid_to > stretches.valid_from
),

-- Rules may begin and end in the middle of a stretch.
bounds as (
    select stretch_id, valid_from as from_day
    from stretches
    semi join matches on matches.stretch_id = stretches.stretch_id
    union
    select stretch_id, from_day
    from matches
    union
    select matches.stretch_id, matches.to_day
    from matches
    inner join stretches
        on stretches.stretch_id = matches.stretch_id
        and matches.to_day < stretches.valid_to
),

pieces as (
    select
        stretch_id,
        from_day,
        lead(from_day) over (partition by stretch_id order by from_day) as to_day
    from bounds
),

assigned as (
    select
        pieces.stretch_id,
        pieces.from_day,
        any_value(pieces.to_day) as to_day,
        coalesce(arg_min(matches.cost_centre, matches.rank), 'Unassigned') as cost_centre
    from pieces
    left join matches
        on matches.stretch_id = pieces.stretch_id
        and matches.from_day <= pieces.from_day
        and matches.to_day > pieces.from_day
    group by pieces.stretch_id, pieces.from_day
    union all
    select stretches.stretch_id, stretches.valid_from, null, 'Unassigned'
    from stretches
    anti join matches on matches.stretch_id = stretches.stretch_id
)

select
    stretches.organization_id,
    stretches.holder_type,
    stretches.holder_id,
    stretches.seat_type,
    stretches.seat_id,
    -- what it is
    stretches.license_type,
    stretches.status,
    assigned.cost_centre,
    stretches.is_billed,
    stretches.name,
    stretches.email,
    stretches.assigned_at,
    -- when
    firsts.snapshot_date as from_day,
    lasts.snapshot_date as to_day
from assigned
inner join stretches on stretches.stretch_id = assigned.stretch_id
asof inner join internal.counted_days as firsts
    on firsts.organization_id = stretches.organization_id
    and assigned.from_day <= firsts.snapshot_date
asof left join internal.counted_days as lasts
    on lasts.organization_id = stretches.organization_id
    and coalesce(assigned.to_day, stretches.valid_to) <= lasts.snapshot_date
where lasts.snapshot_date is null
    or firsts.snapshot_date < lasts.snapshot_date
order by stretches.organization_id, stretches.holder_type, stretches.holder_id, firsts.snapshot_date
