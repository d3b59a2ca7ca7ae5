-- One row per month, organization, cost centre, license type and holder that finance counts, as known now.
-- Answers: for whom does a cost centre pay, by name, and for how many days? Of a line of finance_monthly, the seat-days are
-- the sum of these. Who was invited and became a member is one holder, the member.
-- reads: internal.counted_days, internal.seat_stretches
create view finance_seats as
with

days as (
    select
        organization_id,
        snapshot_date,
        month,
        row_number() over (partition by organization_id order by snapshot_date) as number
    from internal.counted_days
),

months as (
    select organization_id, month, min(number) as first_number, max(number) as last_number
    from days
    group by organization_id, month
),

stretches as (
    select
        seats.organization_id,
        seats.cost_centre,
        seats.license_type,
        seats.seat_type,
        seats.seat_id,
        seats.name,
        seats.email,
        -- of who was gone when the days were told from the feed, only other days tell the name
        arg_max(seats.name, seats.from_day) over seat as any_name,
        firsts.number as from_number,
        ends.number as to_number
    from internal.seat_stretches as seats
    inner join days as firsts
        on firsts.organization_id = seats.organization_id
        and firsts.snapshot_date = seats.from_day
    left join days as ends
        on ends.organization_id = seats.organization_id
        and ends.snapshot_date = seats.to_day
    where seats.is_billed
    window seat as (partition by seats.organization_id, seats.seat_type, seats.seat_id)
),

pieces as (
    select
        stretches.*,
        months.month,
        greatest(stretches.from_number, months.first_number) as first_number,
        least(coalesce(stretches.to_number - 1, months.last_number), months.last_number) as last_number,
        months.last_number as month_end
    from stretches
    inner join months
        on months.organization_id = stretches.organization_id
        and months.last_number >= stretches.from_number
        and months.first_number < coalesce(stretches.to_number, months.first_number + 1)
)

select
    pieces.month,
    pieces.organization_id,
    pieces.cost_centre,
    pieces.license_type,
    pieces.seat_type as holder_type,
    pieces.seat_id as holder_id,
    -- who it was: the last that is known
    coalesce(arg_max(pieces.name, pieces.first_number), any_value(pieces.any_name)) as name,
    arg_max(pieces.email, pieces.first_number) as email,
    -- when
    min(firsts.snapshot_date) as first_day,
    max(lasts.snapshot_date) as last_day,
    cast(sum(pieces.last_number - pieces.first_number + 1) as bigint) as seat_days,
    bool_or(pieces.last_number = pieces.month_end) as has_seat_at_month_end
from pieces
inner join days as firsts
    on firsts.organization_id = pieces.organization_id
    and firsts.number = pieces.first_number
inner join days as lasts
    on lasts.organization_id = pieces.organization_id
    and lasts.number = pieces.last_number
group by
    pieces.month, pieces.organization_id, pieces.cost_centre, pieces.license_type, pieces.seat_type, pieces.seat_id
