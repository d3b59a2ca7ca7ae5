-- One row per organization, day and replacement of its snapshot. Answers: which past days changed, when, why, by how much?
select
    snapshot_date,
    organization_id,
    restated_at,
    known_from,
    provenance_before,
    provenance_after,
    was_final,
    reason,
    run_id,
    rows_added,
    rows_removed,
    rows_changed,
    seats_before,
    seats_after
from inputs.restatements
order by organization_id, snapshot_date, restated_at
