-- One row per change since a day, the newest first. Answers: what happened last?
-- reads: changes_between
select event_date, coalesce(name, email, holder_id) as who, event, before, after
from changes_between($first, date '9999-12-31')
where previous_date is not null
order by event_date desc, who, event
limit $most
