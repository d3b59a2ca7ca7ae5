-- One row per source, holder or name as a report gave it, and era, of which more is told than before; none of them, where
-- nothing is taken over. Answers: whose days of use must be put together again?
-- reads: inputs.usage, internal.usage_dates
create or replace temp table changed_usage as
select distinct
    usage.organization_id,
    usage.source,
    usage.holder_type,
    case when usage.subject is null then usage.holder_id end as holder_id,
    subject_of(usage.holder_type, usage.subject, usage.subject) as subject,
    dates.era
from inputs.usage as usage
inner join internal.usage_dates as dates on dates.usage_date = usage.usage_date
where getvariable('amends')
