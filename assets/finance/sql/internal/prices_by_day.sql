-- One row per organization, license type and day on which it has a price. Answers: what did a seat cost on that day?
-- An organization's own line comes before one for all. In the organization's currency, unrounded.
-- reads: finance_days, internal.exchange_rates, internal.finance_organizations, internal.prices
with

applicable as (
    select
        days.organization_id,
        days.day,
        prices.license_type,
        prices.amount,
        prices.currency,
        row_number() over (
            partition by days.organization_id, days.day, prices.license_type
            order by prices.organization_id nulls last
        ) as preference
    from finance_days as days
    inner join internal.prices as prices
        on coalesce(prices.organization_id, days.organization_id) = days.organization_id
        and days.day >= coalesce(prices.valid_from, days.day)
        and days.day < coalesce(prices.valid_to, date '9999-12-31')
)

select
    applicable.organization_id,
    applicable.license_type,
    applicable.day,
    cast(
        applicable.amount * coalesce(rates.rate, cast(1 as decimal(18, 6))) as decimal(28, 10)
    ) as price
from applicable
inner join internal.finance_organizations as organizations
    on organizations.organization_id = applicable.organization_id
left join internal.exchange_rates as rates
    on rates.from_currency = applicable.currency
    and rates.to_currency = organizations.currency
    and applicable.day >= coalesce(rates.valid_from, applicable.day)
    and applicable.day < coalesce(rates.valid_to, date '9999-12-31')
where applicable.preference = 1
order by applicable.organization_id, applicable.license_type, applicable.day
