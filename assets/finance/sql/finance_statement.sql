-- One row per month, organization, cost centre and license type: a closed month as it was signed, an open one as known
-- now. Answers: what does finance report? seats_before + joiners - leavers + changed_in - changed_out + restated is
-- seats_month_end, for every row; restated is what corrections of a closed month before have moved. What is told of
-- invites apart is null where the month was signed before that was told.
-- reads: finance_closed, finance_closings, finance_monthly, internal.finance_months
with

closed_months as (
    select distinct month
    from finance_closings
    where is_in_force
),

current_lines as (
    select finance_monthly.*
    from finance_monthly
    anti join closed_months on closed_months.month = finance_monthly.month
),

shown as (
    select month, organization_id, cost_centre, license_type, seats_month_end, invites_month_end
    from current_lines
    union all
    select month, organization_id, cost_centre, license_type, seats_month_end, invites_month_end
    from finance_closed
),

-- What precedes what: months that have been closed may no longer be known to the history, and count all the same.
months as (
    select organization_id, month, lag(month) over (partition by organization_id order by month) as previous_month
    from (
        select organization_id, month from internal.finance_months where not is_signed_without
        union
        select organization_id, month from finance_closed
    )
),

before as (
    select
        months.month,
        shown.organization_id,
        shown.cost_centre,
        shown.license_type,
        shown.seats_month_end as seats_before,
        shown.invites_month_end as invites_before
    from shown
    inner join months
        on months.organization_id = shown.organization_id
        and months.previous_month = shown.month
    where shown.seats_month_end <> 0
),

known_before as (
    select
        months.month,
        monthly.organization_id,
        monthly.cost_centre,
        monthly.license_type,
        monthly.seats_month_end as seats_before
    from finance_monthly as monthly
    inner join internal.finance_months as months
        on months.organization_id = monthly.organization_id
        and months.previous_month = monthly.month
),

lines as (
    select month, organization_id, cost_centre, license_type from shown
    union
    select month, organization_id, cost_centre, license_type from before
),

figures as (
    select *, 0 as seats_before, 0 as restated
    from current_lines
    union all by name
    select *
    from finance_closed
)

select
    lines.month,
    lines.organization_id,
    lines.cost_centre,
    lines.license_type,
    -- the walk
    coalesce(before.seats_before, 0) as seats_before,
    coalesce(figures.joiners, 0) as joiners,
    coalesce(figures.leavers, 0) as leavers,
    coalesce(figures.changed_in, 0) as changed_in,
    coalesce(figures.changed_out, 0) as changed_out,
    cast(case
        when closed_months.month is null
            then coalesce(known_before.seats_before, 0) - coalesce(before.seats_before, 0)
        else coalesce(figures.restated, 0) + coalesce(figures.seats_before, 0) - coalesce(before.seats_before, 0)
    end as bigint) as restated,
    coalesce(figures.seats_month_end, 0) as seats_month_end,
    -- of these, pending invites
    case when before.month is null then 0 else before.invites_before end as invites_before,
    case when figures.month is null then 0 else figures.invite_joiners end as invite_joiners,
    case when figures.month is null then 0 else figures.invite_leavers end as invite_leavers,
    case when figures.month is null then 0 else figures.invites_accepted end as invites_accepted,
    case when figures.month is null then 0 else figures.invites_month_end end as invites_month_end,
    -- how many
    coalesce(figures.seats_peak, 0) as seats_peak,
    figures.peak_date,
    coalesce(figures.seats_average, 0) as seats_average,
    coalesce(figures.seat_days, 0) as seat_days,
    coalesce(figures.unused_month_end, 0) as unused_month_end,
    coalesce(figures.unused_unknown, 0) as unused_unknown,
    -- what it costs
    figures.price,
    coalesce(figures.billed_seats, 0) as billed_seats,
    figures.cost,
    figures.cost_unused,
    coalesce(figures.currency, months.currency) as currency,
    coalesce(figures.convention, months.convention) as convention,
    -- how well it is known
    coalesce(figures.days_observed, months.days_observed) as days_observed,
    coalesce(figures.days_in_month, day(last_day(lines.month))) as days_in_month,
    coalesce(figures.is_final, months.is_final) as is_final,
    coalesce(figures.provenance, months.provenance) as provenance,
    closed_months.month is not null as is_closed
from lines
left join figures
    on figures.month = lines.month
    and figures.organization_id = lines.organization_id
    and figures.cost_centre = lines.cost_centre
    and figures.license_type = lines.license_type
left join before
    on before.month = lines.month
    and before.organization_id = lines.organization_id
    and before.cost_centre = lines.cost_centre
    and before.license_type = lines.license_type
left join known_before
    on known_before.month = lines.month
    and known_before.organization_id = lines.organization_id
    and known_before.cost_centre = lines.cost_centre
    and known_before.license_type = lines.license_type
left join closed_months on closed_months.month = lines.month
left join internal.finance_months as months
    on months.month = lines.month
    and months.organization_id = lines.organization_id
order by lines.month, lines.organization_id, lines.cost_centre, lines.license_type
