-- One row per kind of holder: people, API keys (where they are billed) and pending invitations, of all organizations.
-- Answers: how did last month's seats of each become this month's? An invitation that is accepted goes over to the
-- people; `otherwise` is what changed lines, into or out of a state that takes no seat, or was restated.
-- reads: finance_statement
with

lines as (
    select
        case when license_type = api_key_license() then 'API keys' else 'People' end as kind,
        seats_before,
        joiners,
        leavers,
        seats_month_end,
        -- null: signed before invitations were told apart
        case when license_type = api_key_license() then 0 else invites_before end as invites_before,
        case when license_type = api_key_license() then 0 else invite_joiners end as invite_joiners,
        case when license_type = api_key_license() then 0 else invite_leavers end as invite_leavers,
        case when license_type = api_key_license() then 0 else invites_accepted end as invites_accepted,
        case when license_type = api_key_license() then 0 else invites_month_end end as invites_month_end
    from finance_statement
    where month = $month
),

sums as (
    select
        kind,
        sum(seats_before) as seats_before,
        sum(joiners) as joiners,
        sum(leavers) as leavers,
        sum(seats_month_end) as seats_month_end,
        -- a sum with something unknown in it is not known
        case when count(invites_before) = count(*) then sum(invites_before) end as invites_before,
        case when count(invite_joiners) = count(*) then sum(invite_joiners) end as invite_joiners,
        case when count(invite_leavers) = count(*) then sum(invite_leavers) end as invite_leavers,
        case when count(invites_accepted) = count(*) then sum(invites_accepted) end as invites_accepted,
        case when count(invites_month_end) = count(*) then sum(invites_month_end) end as invites_month_end
    from lines
    group by kind
),

kinds as (
    select
        case kind when 'People' then 1 else 2 end as place,
        kind,
        seats_before - invites_before as seats_before,
        joiners - invite_joiners as joiners,
        leavers - invite_leavers as leavers,
        invites_accepted as accepted,
        seats_month_end - invites_month_end as seats_month_end
    from sums
    union all
    select 3, 'Invitations', invites_before, invite_joiners, invite_leavers, -invites_accepted, invites_month_end
    from sums
    where kind = 'People'
)

select
    kind,
    cast(seats_before as bigint) as seats_before,
    cast(joiners as bigint) as joiners,
    cast(leavers as bigint) as leavers,
    cast(accepted as bigint) as accepted,
    cast(seats_month_end - seats_before - joiners + leavers - accepted as bigint) as otherwise,
    cast(seats_month_end as bigint) as seats_month_end
from kinds
order by place
