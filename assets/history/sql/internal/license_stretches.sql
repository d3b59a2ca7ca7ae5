-- One row per holder and unbroken stretch of observed days with equal attributes (type 2, nulls equal nulls).
-- Answers: who held what, since when, until when? Pieces that follow upon each other and are equal now are one stretch.
-- What grows with each day of one that goes on (days_observed, organization_name) is null here, and license_history's to say.
-- reads: internal.invite_links, internal.roster_days, temp.derived_pieces
with

pieces as materialized (
    select *
    from temp.derived_pieces
),

-- Few pieces are equal to the one before them: told differently, or cut, and the same by what was looked up.
continued as (
    select distinct later.organization_id, later.holder_type, later.holder_id
    from pieces as later
    inner join pieces as earlier
        on earlier.organization_id = later.organization_id
        and earlier.holder_type = later.holder_type
        and earlier.holder_id = later.holder_id
        and earlier.last_number = later.first_number - 1
    where (
            later.license_type, later.role, later.status, later.takes_seat, later.status_raw, later.name, later.email,
            later.owner_user_id, later.owner_email, later.owner_type, later.owner_status, later.workspace_id,
            later.workspace_name, later.key_scope, later.key_hint, later.expires_at, later.assigned_at
        ) is not distinct from (
            earlier.license_type, earlier.role, earlier.status, earlier.takes_seat, earlier.status_raw, earlier.name,
            earlier.email, earlier.owner_user_id, earlier.owner_email, earlier.owner_type, earlier.owner_status,
            earlier.workspace_id, earlier.workspace_name, earlier.key_scope, earlier.key_hint, earlier.expires_at,
            earlier.assigned_at
        )
),

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
        from pieces
        semi join continued using (organization_id, holder_type, holder_id)
    )
    window holder as (partition by organization_id, holder_type, holder_id order by first_number)
),

together as (
    select
        * exclude (attributes, ends_here),
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

ended as (
    select *, last_number as end_number
    from pieces
    anti join continued using (organization_id, holder_type, holder_id)
    union all by name
    select * exclude (begins)
    from together
    where begins
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
    ended.first_number,
    ended.end_number - ended.first_number + 1 as days_observed
from ended
inner join internal.roster_days as firsts
    on firsts.organization_id = ended.organization_id
    and firsts.holder_type = ended.holder_type
    and firsts.day_number = ended.first_number
left join internal.roster_days as lasts
    on lasts.organization_id = ended.organization_id
    and lasts.holder_type = ended.holder_type
    and lasts.day_number = ended.end_number
left join links
    on ended.holder_type = 'user'
    and links.organization_id = ended.organization_id
    and links.holder_id = ended.holder_id
    and links.assigned_at is not distinct from ended.assigned_at
order by
    ended.organization_id,
    ended.holder_type,
    ended.holder_id,
    firsts.snapshot_date
