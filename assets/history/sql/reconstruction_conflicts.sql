-- One row per activity that contradicts what it applies to. Answers: where do feed and snapshots tell different things?
-- reads: inputs.reconstruction_conflicts
select
    organization_id,
    base_date,
    holder_type,
    holder_id,
    attribute,
    happened_at,
    activity_id,
    conflict
from inputs.reconstruction_conflicts
order by organization_id, base_date, holder_type, holder_id, happened_at, attribute
