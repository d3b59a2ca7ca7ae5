-- One row per organization, cost centre and currency. Answers: who pays how much? Of the seats, API keys and pending
-- invitations are told apart; the rest are people.
-- reads: finance_statement
select
    organization_id,
    cost_centre,
    cast(sum(seats_month_end) as bigint) as seats_month_end,
    cast(coalesce(sum(seats_month_end) filter (where license_type = api_key_license()), 0) as bigint) as keys_month_end,
    case
        when count(*) = count(case when license_type = api_key_license() then 0 else invites_month_end end)
            then cast(coalesce(sum(invites_month_end), 0) as bigint)
    end as invites_month_end,
    sum(billed_seats) as billed_seats,
    sum(cost) as cost,
    cast(sum(unused_month_end) as bigint) as unused_month_end,
    sum(cost_unused) as cost_unused,
    currency
from finance_statement
where month = $month
group by organization_id, cost_centre, currency
having sum(seats_before + joiners + changed_in + seats_month_end + billed_seats) > 0
order by organization_id, cost desc nulls last, seats_month_end desc, cost_centre
