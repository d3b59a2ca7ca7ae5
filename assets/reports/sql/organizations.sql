-- One row per organization with a line in the month. Answers: how many, what for, and how well is it known?
-- reads: finance_days, finance_statement, snapshot_log
with

-- Where nothing was read of it in the whole month.
last_known as (
    select organization_id, max(day) as carried_from
    from finance_days
    where is_counted
        and day < $month
    group by organization_id
),

names as (
    select organization_id, arg_max(organization_name, snapshot_date) as organization_name
    from snapshot_log
    group by organization_id
)

select
    statement.organization_id,
    names.organization_name,
    cast(sum(statement.seats_before) as bigint) as seats_before,
    cast(sum(statement.seats_month_end) as bigint) as seats_month_end,
    cast(
        coalesce(sum(statement.seats_month_end) filter (where statement.license_type = api_key_license()), 0) as bigint
    ) as keys_month_end,
    case
        when count(*)
            = count(case when statement.license_type = api_key_license() then 0 else statement.invites_month_end end)
            then cast(coalesce(sum(statement.invites_month_end), 0) as bigint)
    end as invites_month_end,
    sum(statement.billed_seats) as billed_seats,
    sum(statement.cost) as cost,
    sum(statement.cost_unused) as cost_unused,
    statement.currency,
    statement.convention,
    cast(sum(statement.unused_month_end) as bigint) as unused_month_end,
    cast(sum(statement.unused_unknown) as bigint) as unused_unknown,
    cast(coalesce(sum(statement.seats_month_end) filter (where statement.price is null), 0) as bigint) as seats_without_price,
    max(statement.days_observed) as days_observed,
    max(statement.days_in_month) as days_in_month,
    bool_and(statement.is_final) as is_final,
    any_value(statement.provenance) as provenance,
    bool_and(statement.is_closed) as is_closed,
    case when max(statement.days_observed) = 0 then any_value(last_known.carried_from) end as carried_from
from finance_statement as statement
left join names on names.organization_id = statement.organization_id
left join last_known on last_known.organization_id = statement.organization_id
where statement.month = $month
group by statement.organization_id, names.organization_name, statement.currency, statement.convention
order by names.organization_name, statement.organization_id
