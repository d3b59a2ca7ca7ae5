-- One row per distinct row of the days to read and unbroken run of observed days on which it stood there (nulls equal
-- nulls). Answers: from when to when do the days that are read say the same of a holder?
-- reads: inputs.days_to_read, internal.roster_days, temp.changed_told, temp.rows_read
create or replace temp table pieces_read as
with

roster_days as (
    select organization_id, holder_type, snapshot_date, day_number
    from internal.roster_days
    semi join inputs.days_to_read using (organization_id, snapshot_date)
),

-- Each distinct row of the days to read, and the days on which it stood there, as bits: one hash over all rows.
seen as (
    select
        told.* exclude (snapshot_date, invite_id),
        max(invite_id) as invite_id,
        min(snapshot_date) as first_day,
        max(snapshot_date) as last_day,
        count(*) as days,
        bitstring_agg(
            cast(snapshot_date - getvariable('first_day') as integer),
            0,
            cast(getvariable('last_day') - getvariable('first_day') as integer)
        ) as presence
    from temp.rows_read as told
    semi join temp.changed_told using (organization_id, holder_type, holder_id)
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

-- Mostly that is one unbroken stretch; else its pieces are read off the bits, never again from the rows.
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
)

from whole
union all by name
from read_off
