-- One row per known stretch and unbroken run of its days that are not read again.
-- Answers: what stays of what the last warehouse knew? Its stretches, cut at the days that are read for this one.
-- reads: inputs.days_to_read, inputs.known_stretches, internal.roster_days, temp.changed_told
with

kept_days as (
    select
        days.organization_id,
        days.holder_type,
        days.snapshot_date,
        days.day_number,
        days.day_number - row_number() over (
            partition by days.organization_id, days.holder_type
            order by days.day_number
        ) as block
    from internal.roster_days as days
    anti join inputs.days_to_read as again
        on again.organization_id = days.organization_id
        and again.snapshot_date = days.snapshot_date
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
    from (
        select *
        from inputs.known_stretches
        semi join temp.changed_told using (organization_id, holder_type, holder_id)
    ) as known
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
)

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
