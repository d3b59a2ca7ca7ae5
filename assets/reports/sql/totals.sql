-- One row per currency. Answers: what is to be booked for the month, adjustments of earlier months included?
-- reads: finance_adjustments, finance_statement
with

costs as (
    select currency, sum(cost) as cost, sum(cost_unused) as cost_unused, 0 as adjustments
    from finance_statement
    where month = $month
    group by currency
    union all
    select currency, 0, 0, sum(cost)
    from finance_adjustments
    where month = $month
    group by currency
)

select
    currency,
    cast(sum(cost) as decimal(18, 2)) as cost,
    cast(sum(adjustments) as decimal(18, 2)) as adjustments,
    cast(coalesce(sum(cost), 0) + sum(adjustments) as decimal(18, 2)) as cost_to_book,
    cast(sum(cost_unused) as decimal(18, 2)) as cost_unused
from costs
where currency is not null
group by currency
order by currency
