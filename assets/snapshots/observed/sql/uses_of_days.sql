-- One row per day, source and holder or subject that the usage answers of one observation name, of some days of use.
-- Answers: whom or what do all reports name on these days?
-- reads: uses
select distinct *
from uses
where usage_date between $first and $last
