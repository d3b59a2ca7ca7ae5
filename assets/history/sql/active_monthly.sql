-- One row per month, organization, kind of holder and license type, from the roster's first day on. Answers: how many of
-- those who held a license used anything in that month (MAU)? Each counts once, under the license type that they held
-- when they last did, so that types add up. Null where no report has reached any of its days.
-- reads: internal.active_periods
create view active_monthly as
select first_day as month, organization_id, holder_type, license_type, holders, active, is_complete
from internal.active_periods
where period = 'month'
order by month, organization_id, holder_type, license_type
