-- One row per fault. Assumes: last month's seats + joiners - leavers + changed in - changed out + restated are this
-- month's, by line.
-- reads: finance_statement
select
    format(
        '{}, {} {} in {}: from {} seats to {}, but {} joined, {} left, {} changed in, {} changed out, {} restated',
        organization_id, cost_centre, license_type, strftime(month, '%Y-%m'), seats_before, seats_month_end,
        joiners, leavers, changed_in, changed_out, restated
    ) as finding
from finance_statement
where seats_before + joiners - leavers + changed_in - changed_out + restated <> seats_month_end
