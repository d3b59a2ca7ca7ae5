-- One row per fault. Assumes: the history, day by day, is what stands in the Parquet files, but for the columns that are
-- known better now (use, the license type of a role, the organization's name), and for what a file does not know. It is
-- read as license_snapshots reads it, but that no use need be looked up. Compared row by row on the days to check: those
-- that were read for this warehouse, or as many of them as are affordable.
-- reads: inputs.days_to_check, inputs.snapshots, internal.roster_days, license_history
with

files as (
    select snapshots.*
    from inputs.snapshots
    semi join inputs.days_to_check as days
        on days.organization_id = snapshots.organization_id
        and days.snapshot_date = snapshots.snapshot_date
    -- the same again, as a filter that says which files need not be opened
    where list_contains(getvariable('days_to_check'), snapshots.snapshot_date)
),

history as (
    select history.*, days.snapshot_date, days.provenance, days.observed_at, days.run_id
    from license_history as history
    inner join (
        from internal.roster_days
        semi join inputs.days_to_check using (organization_id, snapshot_date)
    ) as days
        on days.organization_id = history.organization_id
        and days.holder_type = history.holder_type
        and days.snapshot_date >= history.valid_from
        and days.snapshot_date < coalesce(history.valid_to, date '9999-12-31')
),

sides as (
    select
        coalesce(files.organization_id, history.organization_id) as organization_id,
        coalesce(files.snapshot_date, history.snapshot_date) as snapshot_date,
        coalesce(files.holder_type, history.holder_type) as holder_type,
        coalesce(files.holder_id, history.holder_id) as holder_id,
        case
            when files.holder_id is null then 'only in the history'
            when history.holder_id is null then 'only in the snapshot file'
            when (
                files.role, files.status, files.status_raw, files.name, files.email, files.owner_user_id, files.owner_type,
                files.key_hint, files.expires_at, files.assigned_at, files.provenance, files.observed_at, files.run_id
            ) is distinct from (
                history.role, history.status, history.status_raw, history.name, history.email, history.owner_user_id,
                history.owner_type, history.key_hint, history.expires_at, history.assigned_at, history.provenance,
                history.observed_at, history.run_id
            ) then 'not the same in both'
            when coalesce(files.owner_email, history.owner_email) is distinct from history.owner_email
                or coalesce(nullif(files.owner_status, 'unknown'), history.owner_status) is distinct from history.owner_status
                then 'of another owner'
            when coalesce(files.workspace_id, history.workspace_id) is distinct from history.workspace_id
                or coalesce(files.workspace_name, history.workspace_name) is distinct from history.workspace_name
                then 'in another workspace'
            when files.role is null and files.license_type is distinct from history.license_type then 'of another license type'
        end as difference
    from files
    full join history
        on history.organization_id = files.organization_id
        and history.snapshot_date = files.snapshot_date
        and history.holder_type = files.holder_type
        and history.holder_id = files.holder_id
),

counted as (
    select organization_id, snapshot_date, holder_type, holder_id, count(*) as times
    from history
    group by organization_id, snapshot_date, holder_type, holder_id
    having count(*) > 1
)

select format('{}, {} {} on {}: {}', organization_id, holder_type, holder_id, snapshot_date, difference) as finding
from sides
where difference is not null
union all
select format('{}, {} {} on {}: {} times in the history', organization_id, holder_type, holder_id, snapshot_date, times)
from counted
