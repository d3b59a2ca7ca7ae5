-- One row per source, and holder or name as a report gave it, of whom more is told than before; none of them, where
-- nothing is taken over. Answers: whose days of use must be put together again?
-- reads: inputs.usage
create or replace temp table changed_usage as
select distinct
    organization_id,
    source,
    holder_type,
    case when subject is null then holder_id end as holder_id,
    subject_of(holder_type, subject, subject) as subject
from inputs.usage
where getvariable('amends')
