-- Whether a source that watched up to `until` has watched up to (nearly) a day: some are as late as the TRAILING_DAYS
-- that each night asks again for.
create or replace temp macro watched_up_to(until, day) as until >= day - getvariable('trailing_days');
