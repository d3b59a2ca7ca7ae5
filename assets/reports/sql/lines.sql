-- One row per line of the month that is not empty. Answers: every figure that the totals are sums of.
-- reads: finance_statement
select
    organization_id,
    cost_centre,
    license_type,
    -- the walk
    seats_before,
    joiners,
    leavers,
    changed_in,
    changed_out,
    restated,
    seats_month_end,
    -- of these, pending invitations
    invites_before,
    invite_joiners,
    invite_leavers,
    invites_accepted,
    invites_month_end,
    -- how many
    seats_peak,
    peak_date,
    seats_average,
    seat_days,
    unused_month_end,
    unused_unknown,
    -- what it costs
    convention,
    billed_seats,
    price,
    cost,
    cost_unused,
    currency
from finance_statement
where month = $month
    and (seats_before + joiners + leavers + changed_in + changed_out + abs(restated) + seats_month_end + seats_peak > 0
        or cost <> 0)
order by organization_id, cost desc nulls last, seats_month_end desc, cost_centre, license_type
