-- One row per organization. Answers: how is it billed, in which currency, do pending invites take seats, and are its API
-- keys billed too?
-- bills_keys: some price for API Key applies to it, at whatever time; else its keys stand in no line of finance's.
-- reads: internal.billing, internal.prices, snapshot_log
with

observed as (
    select organization_id, count(users) > 0 as has_members
    from snapshot_log
    group by organization_id
),

priced as (
    select
        observed.organization_id,
        min(prices.currency) as currency,
        bool_or(prices.license_type = api_key_license()) as bills_keys
    from observed
    inner join internal.prices as prices
        on prices.organization_id is null
        or prices.organization_id = observed.organization_id
    group by observed.organization_id
)

select
    observed.organization_id,
    observed.has_members,
    coalesce(own.convention, every.convention, 'month-end') as convention,
    coalesce(own.currency, every.currency, priced.currency) as currency,
    invites_take_seats(own.invites_take_seats, every.invites_take_seats) as invites_take_seats,
    coalesce(priced.bills_keys, false) as bills_keys
from observed
left join internal.billing as own on own.organization_id = observed.organization_id
left join internal.billing as every on every.organization_id is null
left join priced on priced.organization_id = observed.organization_id
order by observed.organization_id
