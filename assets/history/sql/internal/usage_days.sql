-- One row per organization, source, holder (or name that nobody or several bore), era and how late it was reported.
-- Answers: who used what on which days, by which source?
-- reads: internal.usage_named, internal.usage_told
create view internal.usage_days as
select organization_id, source, holder_type, holder_id, subject, 'id' as matched_by, era, lag, reported_on, days, moments
from internal.usage_told
where subject is null
union all
select organization_id, source, holder_type, holder_id, subject, matched_by, era, lag, reported_on, days, moments
from internal.usage_named
