-- One row per organization, day and replacement of its snapshot. Answers: which past days changed, when, why, by how much?
-- Rows count where both versions know the roster: who merely could not be read was neither added nor removed.
-- reads: inputs.restatements, internal.restated_rows, internal.snapshot_versions
with

versions as (
    select
        *,
        lead(members_known) over days as members_known_after,
        lead(keys_known) over days as keys_known_after,
        lead(invites_known) over days as invites_known_after
    from internal.snapshot_versions
    window days as (partition by organization_id, snapshot_date order by known_to)
),

counted as (
    select
        rows.organization_id,
        rows.snapshot_date,
        rows.restated_at,
        count(*) filter (where not rows.was_there) as rows_added,
        count(*) filter (where not rows.is_there) as rows_removed,
        count(*) filter (where rows.was_there and rows.is_there and coalesce(rows.is_change, true)) as rows_changed
    from internal.restated_rows as rows
    inner join versions
        on versions.organization_id = rows.organization_id
        and versions.snapshot_date = rows.snapshot_date
        and versions.known_to = rows.restated_at
    where case rows.holder_type
        when 'user' then versions.members_known and versions.members_known_after
        when 'api_key' then versions.keys_known and versions.keys_known_after
        else versions.invites_known and versions.invites_known_after
    end
    group by rows.organization_id, rows.snapshot_date, rows.restated_at
)

select
    told.snapshot_date,
    told.organization_id,
    told.restated_at,
    told.known_from,
    told.provenance_before,
    told.provenance_after,
    told.was_final,
    told.reason,
    told.run_id,
    coalesce(counted.rows_added, 0) as rows_added,
    coalesce(counted.rows_removed, 0) as rows_removed,
    coalesce(counted.rows_changed, 0) as rows_changed,
    told.seats_before,
    told.seats_after
from inputs.restatements as told
left join counted
    on counted.organization_id = told.organization_id
    and counted.snapshot_date = told.snapshot_date
    and counted.restated_at = told.restated_at
order by told.organization_id, told.snapshot_date, told.restated_at
