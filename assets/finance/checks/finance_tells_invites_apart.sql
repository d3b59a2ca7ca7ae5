-- One row per fault. Assumes: of each line's seats, joiners and leavers those of pending invites are a part, and last
-- month's invites become this month's by those who were invited, whose invite ended, who accepted it or changed the
-- line, and by nobody else.
-- reads: finance_monthly, internal.seat_steps
with

steps as (
    select
        cast(date_trunc('month', event_date) as date) as month,
        organization_id,
        cost_centre,
        license_type,
        cast(sum(seats) as bigint) as otherwise
    from internal.seat_steps
    where holder_type = 'invite'
        and not is_accepted
        and coalesce(movement not in ('joiner', 'leaver'), true)
    group by date_trunc('month', event_date), organization_id, cost_centre, license_type
),

months as (
    select
        *,
        lag(invites_month_end, 1, 0) over (
            partition by organization_id, cost_centre, license_type order by month
        ) as invites_before
    from finance_monthly
)

select
    format(
        '{}, {} {} in {}: from {} invites to {} of {} seats, but {} of {} joiners, {} of {} leavers, {} accepted, {} else',
        organization_id, cost_centre, license_type, strftime(month, '%Y-%m'), invites_before, invites_month_end,
        seats_month_end, invite_joiners, joiners, invite_leavers, leavers, invites_accepted, coalesce(otherwise, 0)
    ) as finding
from months
left join steps using (month, organization_id, cost_centre, license_type)
where invites_month_end not between 0 and seats_month_end
    or invite_joiners not between 0 and joiners
    or invite_leavers not between 0 and leavers
    or invites_before + invite_joiners - invite_leavers - invites_accepted + coalesce(otherwise, 0) <> invites_month_end
