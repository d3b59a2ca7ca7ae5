-- One row: what was counted of some days of use, as one observation tells of them.
-- Answers: of what the reports name, what could be nobody's or several's, and what was used before it was assigned?
-- reads: holders, usage_now
select
    count(distinct (usage_now.usage_date, usage_now.source, holders.holder_type, holders.holder_id, usage_now.used_at))
        filter (where not used_since_assigned(usage_now.used_at, usage_now.usage_date, holders.assigned_at))
        as uses_before_assignment,
    count(*) filter (where usage_now.matched_by = 'ambiguous') as uses_ambiguous,
    count(*) filter (where usage_now.matched_by = 'unmatched') as uses_unmatched
from usage_now
left join holders
    on holders.holder_type = usage_now.holder_type
    and holders.holder_id = usage_now.holder_id
