-- One row per organization, day, source and holder with use. Answers: who used what on which day, by which source?
select
    organization_id,
    usage_date,
    source,
    holder_type,
    holder_id,
    subject,
    min(matched_by) as matched_by,
    max(used_at) as used_at,
    min(observed_day) as first_reported
from inputs.usage
group by organization_id, usage_date, source, holder_type, holder_id, subject
order by organization_id, usage_date, source, holder_type, holder_id, subject
