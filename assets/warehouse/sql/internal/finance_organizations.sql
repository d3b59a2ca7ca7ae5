-- One row per organization. Answers: how is it billed, in which currency, do pending invites take seats, and are its API
-- keys billed too?
-- bills_keys: some price for API Key applies to it, at whatever time; else its keys stand in no line of finance's.
with

organizations as (
    select organization_id, count(users) > 0 as has_members
    from snapshot_log
    group by organization_id
),

priced as (
    select
        organizations.organization_id,
        min(prices.currency) as currency,
        bool_or(prices.license_type = 'API Key') as bills_keys
    from organizations
    inner join internal.prices as prices
        on prices.organization_id is null
        or prices.organization_id = organizations.organization_id
    group by organizations.organization_id
)

select
    organizations.organization_id,
    organizations.has_members,
    coalesce(own.convention, every.convention, 'month-end') as convention,
    coalesce(own.currency, every.currency, priced.currency) as currency,
    -- where nobody says, they do, so that no cost is hidden
    coalesce(own.invites_take_seats, every.invites_take_seats, true) as invites_take_seats,
    coalesce(priced.bills_keys, false) as bills_keys
from organizations
left join internal.billing as own on own.organization_id = organizations.organization_id
left join internal.billing as every on every.organization_id is null
left join priced on priced.organization_id = organizations.organization_id
order by organizations.organization_id
