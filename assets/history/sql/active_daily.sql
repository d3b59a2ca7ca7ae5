-- One row per day, organization, kind of holder and license type, from the roster's first day on. Answers: how many of
-- those who held a license used anything on that day (DAU)? Null where no report has reached the day.
-- reads: internal.active_periods
create view active_daily as
select first_day as day, organization_id, holder_type, license_type, holders, active, is_complete
from internal.active_periods
where period = 'day'
order by day, organization_id, holder_type, license_type
