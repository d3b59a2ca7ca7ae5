-- One row per month, organization, cost centre and license type, from the line's first month on, as known now.
-- Answers: how many seats, who came and went, what does it cost? Of seats, joiners and leavers, those of pending invites
-- are told apart; API keys have lines of their own, and the rest are people. Costs are rounded once, here, half up to
-- cents; every total is a sum of these rows. A null price or cost is not known: no line of prices.csv holds.
-- reads: finance_daily, internal.billing_days, internal.finance_months, internal.prices_by_day, internal.seat_steps,
--     internal.unused_counts
with

months as (
    select *
    from internal.finance_months
),

seats as (
    select
        cast(date_trunc('month', snapshot_date) as date) as month,
        organization_id,
        cost_centre,
        license_type,
        arg_max(seats, snapshot_date) as seats_month_end,
        arg_max(invites, snapshot_date) as invites_month_end,
        max(seats) as seats_peak,
        arg_max(snapshot_date, first_of_peaks(seats, snapshot_date)) as peak_date,
        cast(sum(seats) as bigint) as seat_days
    from finance_daily
    group by date_trunc('month', snapshot_date), organization_id, cost_centre, license_type
),

steps as (
    select
        cast(date_trunc('month', event_date) as date) as month,
        organization_id,
        cost_centre,
        license_type,
        count(*) filter (where movement = 'joiner') as joiners,
        count(*) filter (where movement = 'leaver') as leavers,
        count(*) filter (where movement = 'changed_in') as changed_in,
        count(*) filter (where movement = 'changed_out') as changed_out,
        count(*) filter (where movement = 'joiner' and holder_type = 'invite') as invite_joiners,
        count(*) filter (where movement = 'leaver' and holder_type = 'invite') as invite_leavers,
        count(*) filter (where is_accepted) as invites_accepted
    from internal.seat_steps
    group by date_trunc('month', event_date), organization_id, cost_centre, license_type
),

-- What is billed, in whole ten-billionths of the currency: divisions would give floats.
billed as (
    select
        seats.month,
        seats.organization_id,
        seats.cost_centre,
        seats.license_type,
        any_value(days.divisor) as divisor,
        cast(sum(coalesce(daily.seats, 0)) as hugeint) as seats,
        sum(cast(prices.price * 10000000000 as hugeint) * coalesce(daily.seats, 0)) as units,
        max_by(prices.price, days.price_day) as price
    from seats
    inner join internal.billing_days as days
        on days.month = seats.month
        and days.organization_id = seats.organization_id
        and days.license_type = seats.license_type
    left join finance_daily as daily
        on daily.organization_id = seats.organization_id
        and daily.cost_centre = seats.cost_centre
        and daily.license_type = seats.license_type
        and daily.snapshot_date = days.as_of
    left join internal.prices_by_day as prices
        on prices.organization_id = days.organization_id
        and prices.license_type = days.license_type
        and prices.day = days.price_day
    group by seats.month, seats.organization_id, seats.cost_centre, seats.license_type
)

select
    seats.month,
    seats.organization_id,
    seats.cost_centre,
    seats.license_type,
    -- how many
    seats.seats_month_end,
    seats.seats_peak,
    seats.peak_date,
    average(seats.seat_days, months.days_counted) as seats_average,
    seats.seat_days,
    -- who came and went
    coalesce(steps.joiners, 0) as joiners,
    coalesce(steps.leavers, 0) as leavers,
    coalesce(steps.changed_in, 0) as changed_in,
    coalesce(steps.changed_out, 0) as changed_out,
    -- of these, pending invites
    seats.invites_month_end,
    coalesce(steps.invite_joiners, 0) as invite_joiners,
    coalesce(steps.invite_leavers, 0) as invite_leavers,
    coalesce(steps.invites_accepted, 0) as invites_accepted,
    -- who does not use it
    coalesce(unused.unused_month_end, 0) as unused_month_end,
    coalesce(unused.unused_unknown, 0) as unused_unknown,
    -- what it costs
    billed.price,
    average(billed.seats, billed.divisor) as billed_seats,
    cast(
        cast((billed.units + 50000000 * billed.divisor) // (100000000 * billed.divisor) as decimal(18, 0))
        * cast(0.01 as decimal(3, 2)) as decimal(18, 2)
    ) as cost,
    cast(round(billed.price * coalesce(unused.unused_month_end, 0), 2) as decimal(18, 2)) as cost_unused,
    months.currency,
    months.convention,
    -- how well it is known
    months.days_observed,
    months.days_in_month,
    months.is_final,
    months.provenance
from seats
inner join months
    on months.organization_id = seats.organization_id
    and months.month = seats.month
left join steps
    on steps.month = seats.month
    and steps.organization_id = seats.organization_id
    and steps.cost_centre = seats.cost_centre
    and steps.license_type = seats.license_type
left join internal.unused_counts as unused
    on unused.month = seats.month
    and unused.organization_id = seats.organization_id
    and unused.cost_centre = seats.cost_centre
    and unused.license_type = seats.license_type
inner join billed
    on billed.month = seats.month
    and billed.organization_id = seats.organization_id
    and billed.cost_centre = seats.cost_centre
    and billed.license_type = seats.license_type
order by seats.month, seats.organization_id, seats.cost_centre, seats.license_type
