-- One row per organization, day, source and holder with use. Answers: who used what on which day, by which source?
-- Known rows of days that no new report speaks of are taken as they are.
with

reported as (
    select organization_id, usage_date, source, holder_type, holder_id, subject, matched_by, used_at, observed_day
    from inputs.usage
),

known as (
    select organization_id, usage_date, source, holder_type, holder_id, subject, matched_by, used_at, first_reported
    from inputs.known_usage
),

touched as (
    select distinct organization_id, usage_date
    from reported
),

together as (
    select organization_id, usage_date, source, holder_type, holder_id, subject, matched_by, used_at, observed_day
    from reported
    union all
    select known.*
    from known
    semi join touched
        on touched.organization_id = known.organization_id
        and touched.usage_date = known.usage_date
)

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
from together
group by organization_id, usage_date, source, holder_type, holder_id, subject
union all
select known.*
from known
anti join touched
    on touched.organization_id = known.organization_id
    and touched.usage_date = known.usage_date
order by organization_id, usage_date, source, holder_type, holder_id, subject
