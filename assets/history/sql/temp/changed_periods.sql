-- One row per day, week and month of which active holders may be counted otherwise than before.
-- Answers: which of them are counted again? All that end after the first day of which something else is known.
-- reads: internal.input_files, internal.usage_dates, temp.used_since
create or replace temp table changed_periods as
select distinct unit as period, cast(date_trunc(unit, usage_date) as date) as first_day
from internal.usage_dates
cross join (select unnest(['day', 'week', 'month']) as unit)
where usage_date >= getvariable('used_since')
    -- one that has begun, though its day of use may be yet to come
    and first_day <= (select max(day) from internal.input_files)
