-- Whether a source that watched up to `until` has watched up to (nearly) a day: some are up to four days late.
create or replace temp macro watched_up_to(until, day) as until >= day - 4;
