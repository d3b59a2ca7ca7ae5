-- One row per counted day of the month, organization and license type. Answers: how did the seats develop?
select
    organization_id,
    snapshot_date,
    license_type,
    cast(sum(seats) as bigint) as seats
from finance_daily
where snapshot_date between $month and last_day($month)
group by organization_id, snapshot_date, license_type
order by organization_id, snapshot_date, license_type
