-- One row per organization and snapshot day. Answers: which days do we know, how, how well, and since when?
-- reads: inputs.facts
select
    organization_id,
    organization_name,
    snapshot_date,
    provenance,
    is_final,
    -- counts: null is unknown, because the roster could not be read; never zero
    users,
    api_keys,
    invites,
    -- completeness
    usage_sources,
    unmapped,
    repeated,
    left_out,
    uses_before_assignment,
    uses_ambiguous,
    uses_unmatched,
    uses_unattributed,
    items_of_others,
    conflicts,
    workspaces_known,
    default_workspace,
    -- how and when
    observed_at,
    (epoch_us(observed_at) - epoch_us(snapshot_date + 1)) // 1000000 as lag_seconds,
    observation,
    run_id,
    loaded_at,
    loaded_by,
    reason
from inputs.facts
order by organization_id, snapshot_date
