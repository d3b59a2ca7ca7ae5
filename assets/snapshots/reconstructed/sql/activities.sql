-- One row per activity up to the look at the base snapshot: what happened later is not in it and cannot be taken back.
-- Answers: what can be rolled back?
-- reads: activities_told, base_day
select activities_told.*
from activities_told
inner join base_day on activities_told.created_at <= base_day.observed_at
