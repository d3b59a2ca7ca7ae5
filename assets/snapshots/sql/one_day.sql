-- One row per holder at the close of one day, out of the days that are made together.
-- Answers: what is the snapshot of the day that is in turn?
-- reads: assignments
select * exclude (day)
from assignments
where day = getvariable('day')
