-- One row: what was counted of some days of use, as one observation tells of them.
-- Answers: of what the reports name, what could be nobody's or several's, and what was used before it was assigned?
-- reads: holders, usage_now
with

-- who was assigned before all of these days has used nothing before it
assigned as (
    select holder_type, holder_id, assigned_at
    from holders
    where assigned_at > (select cast(min(usage_date) as timestamptz) from usage_now)
),

before_assignment as (
    select distinct
        usage_now.usage_date, usage_now.source, usage_now.holder_type, usage_now.holder_id, usage_now.used_at
    from usage_now
    inner join assigned
        on assigned.holder_type = usage_now.holder_type
        and assigned.holder_id = usage_now.holder_id
    where not used_since_assigned(usage_now.used_at, usage_now.usage_date, assigned.assigned_at)
)

select
    (select count(*) from before_assignment) as uses_before_assignment,
    count(*) filter (where matched_by = 'ambiguous') as uses_ambiguous,
    count(*) filter (where matched_by = 'unmatched') as uses_unmatched
from usage_now
