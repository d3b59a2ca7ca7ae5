-- One row per counted day of the month, organization and license type; none for days that are carried forward.
-- Answers: how did the seats develop, and how many of them are pending invitations?
-- reads: finance_daily
select
    organization_id,
    snapshot_date,
    license_type,
    cast(sum(seats) as bigint) as seats,
    cast(sum(invites) as bigint) as invites
from finance_daily
where snapshot_date between $month and last_day($month)
    and is_observed
group by organization_id, snapshot_date, license_type
order by organization_id, snapshot_date, license_type
