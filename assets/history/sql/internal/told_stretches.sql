-- One row per holder and unbroken stretch of observed days on which equal attributes were told (nulls equal nulls).
-- Answers: what did the snapshots say, from when to when? What is looked up, mapped or filled in stands in
-- license_history, which is made from this at every build; so the next warehouse can start from here. Pieces of one row
-- that follow upon each other are one stretch: the result is the same whichever way the days are divided.
-- reads: internal.roster_days, temp.pieces_kept, temp.pieces_read
with

pieces as (
    from temp.pieces_read
    union all by name
    from temp.pieces_kept
),

distinct_rows as materialized (
    select
        row_number() over () as row_id,
        grouped.*
    from (
        select
            pieces.* exclude (first_number, last_number, invite_id),
            max(invite_id) as invite_id,
            min(first_number) as first_number,
            max(last_number) as last_number,
            cast(sum(1 + last_number - first_number) as bigint) as days,
            case when count(*) > 1 then list({first_number: first_number, last_number: last_number}) end as pieces
        from pieces
        group by all
    ) as grouped
),

-- Mostly the pieces of a row follow upon each other: then they are one stretch.
separate as (
    select row_id, unnest(pieces, recursive := true)
    from distinct_rows
    where days <> 1 + last_number - first_number
),

begun as (
    select
        *,
        first_number is distinct from 1 + lag(last_number) over (partition by row_id order by first_number) as begins
    from separate
),

counted as (
    select
        *,
        count(*) filter (where begins) over (partition by row_id order by first_number) as stretch
    from begun
),

stretches as (
    select row_id, first_number, last_number
    from distinct_rows
    where days = 1 + last_number - first_number
    union all
    select row_id, min(first_number), max(last_number)
    from counted
    group by row_id, stretch
)

select
    distinct_rows.organization_id,
    distinct_rows.holder_type,
    distinct_rows.holder_id,
    distinct_rows.license_told,
    distinct_rows.role,
    distinct_rows.status,
    distinct_rows.status_raw,
    distinct_rows.name,
    distinct_rows.email,
    distinct_rows.owner_user_id,
    distinct_rows.owner_email,
    distinct_rows.owner_type,
    distinct_rows.owner_status,
    distinct_rows.workspace_id,
    distinct_rows.workspace_name,
    distinct_rows.key_scope,
    distinct_rows.key_hint,
    distinct_rows.expires_at,
    distinct_rows.assigned_at,
    distinct_rows.invite_id,
    -- when
    firsts.snapshot_date as valid_from,
    lasts.next_date as valid_to,
    stretches.first_number,
    -- null as long as it goes on, so that one more day changes nothing where nothing else is told
    case when lasts.next_date is not null then stretches.last_number end as last_number
from stretches
inner join distinct_rows on distinct_rows.row_id = stretches.row_id
inner join internal.roster_days as firsts
    on firsts.organization_id = distinct_rows.organization_id
    and firsts.holder_type = distinct_rows.holder_type
    and firsts.day_number = stretches.first_number
-- a left join, which is not brought before the other: days × days would be as many as years squared
left join internal.roster_days as lasts
    on lasts.organization_id = distinct_rows.organization_id
    and lasts.holder_type = distinct_rows.holder_type
    and lasts.day_number = stretches.last_number
order by
    distinct_rows.organization_id,
    distinct_rows.holder_type,
    distinct_rows.holder_id,
    firsts.snapshot_date
