-- One row per organization, snapshot day and version of it that has ever been published, the current one included.
-- Answers: which version did the warehouse answer from at a given time, and which rosters and lists did that one know?
-- reads: inputs.restatements, snapshot_log
with

replaced as (
    select
        organization_id,
        snapshot_date,
        known_from,
        restated_at as known_to,
        organization_name,
        users is not null as members_known,
        api_keys is not null as keys_known,
        invites is not null as invites_known,
        coalesce(workspaces_known, false) as workspaces_known,
        default_workspace
    from inputs.restatements
),

current_versions as (
    select
        log.organization_id,
        log.snapshot_date,
        coalesce(log.loaded_at, log.observed_at) as known_from,
        cast(null as timestamptz) as known_to,
        log.organization_name,
        log.users is not null,
        log.api_keys is not null,
        log.invites is not null,
        log.workspaces_known,
        log.default_workspace
    from snapshot_log as log
),

versions as (
    from replaced
    union all
    from current_versions
)

select
    * replace (
        -- one version ends when the next begins
        coalesce(lag(known_to) over (partition by organization_id, snapshot_date order by known_to), known_from) as known_from
    )
from versions
order by organization_id, snapshot_date, known_from
