-- One row per organization and license type. Answers: how did last month's seats become this month's?
-- reads: finance_statement
select
    organization_id,
    license_type,
    cast(sum(seats_before) as bigint) as seats_before,
    cast(sum(joiners) as bigint) as joiners,
    cast(sum(leavers) as bigint) as leavers,
    cast(sum(changed_in) as bigint) as changed_in,
    cast(sum(changed_out) as bigint) as changed_out,
    cast(sum(restated) as bigint) as restated,
    cast(sum(seats_month_end) as bigint) as seats_month_end,
    -- of these, pending invitations; null: signed before they were told apart
    case when count(invite_joiners) = count(*) then cast(sum(invite_joiners) as bigint) end as invite_joiners,
    case when count(invite_leavers) = count(*) then cast(sum(invite_leavers) as bigint) end as invite_leavers,
    case when count(invites_accepted) = count(*) then cast(sum(invites_accepted) as bigint) end as invites_accepted,
    case when count(invites_month_end) = count(*) then cast(sum(invites_month_end) as bigint) end as invites_month_end
from finance_statement
where month = $month
group by organization_id, license_type
having sum(seats_before + joiners + leavers + changed_in + changed_out + abs(restated) + seats_month_end + seats_peak) > 0
order by organization_id, license_type
