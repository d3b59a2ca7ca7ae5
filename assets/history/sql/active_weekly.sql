-- One row per week, organization, kind of holder and license type, from the roster's first day on. Answers: how many of
-- those who held a license used anything in that week (WAU)? Each counts once, under the license type that they held
-- when they last did, so that types add up. Null where no report has reached any of its days.
-- reads: internal.active_periods
create view active_weekly as
select first_day as week, organization_id, holder_type, license_type, holders, active, is_complete
from internal.active_periods
where period = 'week'
order by week, organization_id, holder_type, license_type
