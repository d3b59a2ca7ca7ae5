-- One row per holder and unbroken stretch of observed days on which equal attributes were told (nulls equal nulls).
-- Answers: what did the snapshots say, from when to when? What is looked up, mapped or filled in stands in
-- license_history, which is made from this at every build; so the next warehouse can start from here.
-- Input are the rows of the days to read (all, or those that are new or replaced since the last warehouse) and the
-- stretches known for the other days; the result is the same whichever way the days are divided.
with

snapshots as (
    select
        organization_id,
        snapshot_date,
        holder_type,
        holder_id,
        -- a license type that a file told without a role; else it follows the role
        case when role is null and holder_type <> 'api_key' then license_type end as license_told,
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
        assigned_at,
        invite_id
    from inputs.snapshots
),

roster_days as (
    select organization_id, holder_type, snapshot_date, day_number, next_date
    from internal.roster_days
),

-- 1. Each distinct row of the days to read, and the days on which it stood there, as bits: one hash over all rows.
seen as (
    select
        snapshots.* exclude (snapshot_date, invite_id),
        max(invite_id) as invite_id,
        min(snapshot_date) as first_day,
        max(snapshot_date) as last_day,
        count(*) as days,
        bitstring_agg(
            cast(snapshot_date - getvariable('first_day') as integer),
            0,
            cast(getvariable('last_day') - getvariable('first_day') as integer)
        ) as presence
    from snapshots
    group by all
),

numbered as (
    select
        seen.*,
        firsts.day_number as first_number,
        lasts.day_number as last_number
    from seen
    inner join roster_days as firsts
        on firsts.organization_id = seen.organization_id
        and firsts.holder_type = seen.holder_type
        and firsts.snapshot_date = seen.first_day
    inner join roster_days as lasts
        on lasts.organization_id = seen.organization_id
        and lasts.holder_type = seen.holder_type
        and lasts.snapshot_date = seen.last_day
),

-- 2. Mostly that is one unbroken stretch; else its pieces are read off the bits, never again from the rows.
whole as (
    select numbered.* exclude (first_day, last_day, days, presence)
    from numbered
    where days = last_number - first_number + 1
),

torn as materialized (
    select
        numbered.* exclude (first_day, last_day, days, presence, first_number, last_number),
        presence & ~(presence >> 1) as starts,
        presence & ~(presence << 1) as ends
    from numbered
    where days <> last_number - first_number + 1
),

offsets as (
    select cast(range(getvariable('last_day') - getvariable('first_day') + 1) as integer[]) as days
),

bounded as (
    select
        torn.* exclude (starts, ends),
        unnest(list_filter(offsets.days, lambda day: get_bit(torn.starts, day) = 1)) as first_offset,
        unnest(list_filter(offsets.days, lambda day: get_bit(torn.ends, day) = 1)) as last_offset
    from torn
    cross join offsets
),

read_off as (
    select
        bounded.* exclude (first_offset, last_offset),
        firsts.day_number as first_number,
        lasts.day_number as last_number
    from bounded
    inner join roster_days as firsts
        on firsts.organization_id = bounded.organization_id
        and firsts.holder_type = bounded.holder_type
        and firsts.snapshot_date = getvariable('first_day') + bounded.first_offset
    inner join roster_days as lasts
        on lasts.organization_id = bounded.organization_id
        and lasts.holder_type = bounded.holder_type
        and lasts.snapshot_date = getvariable('first_day') + bounded.last_offset
),

-- 3. What stays of the known stretches, cut at the days that are read again.
kept_days as (
    select
        roster_days.organization_id,
        roster_days.holder_type,
        roster_days.snapshot_date,
        roster_days.day_number,
        roster_days.day_number - row_number() over (
            partition by roster_days.organization_id, roster_days.holder_type
            order by roster_days.day_number
        ) as block
    from roster_days
    anti join inputs.days_to_read as again
        on again.organization_id = roster_days.organization_id
        and again.snapshot_date = roster_days.snapshot_date
),

blocks as (
    select
        organization_id,
        holder_type,
        block,
        min(snapshot_date) as first_day,
        max(snapshot_date) as last_day
    from kept_days
    group by organization_id, holder_type, block
),

cut as (
    select
        known.* exclude (valid_from, valid_to),
        greatest(known.valid_from, blocks.first_day) as first_day,
        least(coalesce(known.valid_to - 1, blocks.last_day), blocks.last_day) as last_day
    from inputs.known_stretches as known
    inner join blocks
        on blocks.organization_id = known.organization_id
        and blocks.holder_type = known.holder_type
        and blocks.last_day >= known.valid_from
        and (known.valid_to is null or blocks.first_day < known.valid_to)
),

-- The few distinct bounds are looked up once, not for every row.
first_numbers as (
    select bounds.organization_id, bounds.holder_type, bounds.first_day, kept_days.day_number as first_number
    from (select distinct organization_id, holder_type, first_day from cut) as bounds
    asof inner join kept_days
        on kept_days.organization_id = bounds.organization_id
        and kept_days.holder_type = bounds.holder_type
        and kept_days.snapshot_date >= bounds.first_day
),

last_numbers as (
    select bounds.organization_id, bounds.holder_type, bounds.last_day, kept_days.day_number as last_number
    from (select distinct organization_id, holder_type, last_day from cut) as bounds
    asof inner join kept_days
        on kept_days.organization_id = bounds.organization_id
        and kept_days.holder_type = bounds.holder_type
        and kept_days.snapshot_date <= bounds.last_day
),

kept as (
    select
        cut.* exclude (first_day, last_day),
        first_numbers.first_number,
        last_numbers.last_number
    from cut
    inner join first_numbers
        on first_numbers.organization_id = cut.organization_id
        and first_numbers.holder_type = cut.holder_type
        and first_numbers.first_day = cut.first_day
    inner join last_numbers
        on last_numbers.organization_id = cut.organization_id
        and last_numbers.holder_type = cut.holder_type
        and last_numbers.last_day = cut.last_day
    where first_numbers.first_number <= last_numbers.last_number
),

-- 4. Pieces of one row that follow upon each other are one stretch.
pieces as (
    from whole
    union all by name
    from read_off
    union all by name
    from kept
),

distinct_rows as materialized (
    select
        row_number() over () as row_id,
        grouped.*
    from (
        select
            pieces.* exclude (first_number, last_number, invite_id),
            max(invite_id) as invite_id,
            list({first_number: first_number, last_number: last_number}) as pieces
        from pieces
        group by all
    ) as grouped
),

separate as (
    select row_id, unnest(pieces, recursive := true)
    from distinct_rows
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
    select
        row_id,
        min(first_number) as first_number,
        max(last_number) as last_number
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
    stretches.last_number
from stretches
inner join distinct_rows on distinct_rows.row_id = stretches.row_id
inner join roster_days as firsts
    on firsts.organization_id = distinct_rows.organization_id
    and firsts.holder_type = distinct_rows.holder_type
    and firsts.day_number = stretches.first_number
inner join roster_days as lasts
    on lasts.organization_id = distinct_rows.organization_id
    and lasts.holder_type = distinct_rows.holder_type
    and lasts.day_number = stretches.last_number
order by
    distinct_rows.organization_id,
    distinct_rows.holder_type,
    distinct_rows.holder_id,
    firsts.snapshot_date
