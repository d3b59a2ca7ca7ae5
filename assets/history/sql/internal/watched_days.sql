-- One row per organization, kind of holder and calendar day that usage reports reached. Answers: could use be seen then, and
-- is silence evidence?
-- reads: internal.usage_dates, internal.usage_watches
create view internal.watched_days as
select
    watches.organization_id,
    watches.holder_type,
    dates.usage_date as day,
    bool_or(watches.sees = 'all') as sees_all
from internal.usage_watches as watches
inner join internal.usage_dates as dates on dates.usage_date between watches.since and watches.until
group by watches.organization_id, watches.holder_type, dates.usage_date
