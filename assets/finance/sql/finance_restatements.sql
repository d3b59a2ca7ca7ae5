-- One row per line of a closed month that the history now tells otherwise. Answers: what was signed, what is known now,
-- what is the difference, how much of it has been made good in a later closed month, and where does the rest belong?
-- reads: finance_closed, finance_closings, finance_monthly, internal.closed_adjustments, internal.finance_months
with

closed_months as (
    select distinct month
    from finance_closings
    where is_in_force
),

-- The first month after it that is not closed.
next_open as (
    select closed_months.month, min(candidates.month) as open_month
    from closed_months
    inner join (select cast(month + interval 1 month as date) as month from closed_months) as candidates
        on candidates.month > closed_months.month
    anti join closed_months as taken on taken.month = candidates.month
    group by closed_months.month
),

known as (
    select finance_monthly.*
    from finance_monthly
    semi join closed_months on closed_months.month = finance_monthly.month
    anti join (select organization_id, month from internal.finance_months where is_signed_without) as unsigned
        on unsigned.organization_id = finance_monthly.organization_id
        and unsigned.month = finance_monthly.month
),

sides as (
    select
        month, organization_id, cost_centre, license_type, currency,
        seats_month_end as closed_seats, billed_seats as closed_billed_seats, cost as closed_cost,
        0 as current_seats, 0 as current_billed_seats, 0 as current_cost
    from finance_closed
    union all by name
    select
        month, organization_id, cost_centre, license_type, currency,
        seats_month_end as current_seats, billed_seats as current_billed_seats, cost as current_cost,
        0 as closed_seats, 0 as closed_billed_seats, 0 as closed_cost
    from known
    union all by name
    select restated_month as month, organization_id, cost_centre, license_type, currency, cost as cost_made_good
    from internal.closed_adjustments
),

compared as (
    select
        month, organization_id, cost_centre, license_type, currency,
        cast(coalesce(sum(closed_seats), 0) as bigint) as closed_seats,
        cast(coalesce(sum(current_seats), 0) as bigint) as current_seats,
        cast(coalesce(sum(closed_billed_seats), 0) as decimal(18, 4)) as closed_billed_seats,
        cast(coalesce(sum(current_billed_seats), 0) as decimal(18, 4)) as current_billed_seats,
        cast(coalesce(sum(closed_cost), 0) as decimal(18, 2)) as closed_cost,
        cast(coalesce(sum(current_cost), 0) as decimal(18, 2)) as current_cost,
        cast(coalesce(sum(cost_made_good), 0) as decimal(18, 2)) as cost_made_good
    from sides
    group by month, organization_id, cost_centre, license_type, currency
)

select
    compared.month,
    compared.organization_id,
    compared.cost_centre,
    compared.license_type,
    -- seats at the month's end
    compared.closed_seats,
    compared.current_seats,
    compared.current_seats - compared.closed_seats as seats_difference,
    compared.closed_billed_seats,
    compared.current_billed_seats,
    -- cost
    compared.closed_cost,
    compared.current_cost,
    cast(compared.current_cost - compared.closed_cost as decimal(18, 2)) as cost_difference,
    compared.cost_made_good,
    cast(compared.current_cost - compared.closed_cost - compared.cost_made_good as decimal(18, 2)) as cost_open,
    compared.currency,
    next_open.open_month
from compared
inner join next_open on next_open.month = compared.month
where compared.closed_seats <> compared.current_seats
    or compared.closed_billed_seats <> compared.current_billed_seats
    or compared.closed_cost <> compared.current_cost
    or compared.cost_made_good <> 0
order by compared.month, compared.organization_id, compared.cost_centre, compared.license_type, compared.currency
