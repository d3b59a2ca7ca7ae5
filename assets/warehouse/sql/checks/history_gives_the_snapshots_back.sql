-- Assumes: license_snapshots is what stands in the Parquet files, usage apart. Compared row by row on the days to check:
-- those that were read for this warehouse, or as many of them as are affordable.
with

sides as (
    select
        'the snapshot file' as side,
        snapshots.* exclude (
            last_used_at, last_used_precision, last_used_source, last_used_state, usage_observed_since
        )
    from inputs.snapshots
    semi join inputs.days_to_check as days
        on days.organization_id = snapshots.organization_id
        and days.snapshot_date = snapshots.snapshot_date
    union all by name
    select
        'the history' as side,
        snapshots.* exclude (
            last_used_at, last_used_precision, last_used_source, last_used_state, usage_observed_since
        )
    from license_snapshots as snapshots
    semi join inputs.days_to_check as days
        on days.organization_id = snapshots.organization_id
        and days.snapshot_date = snapshots.snapshot_date
    -- the same again, as a filter that reaches the view's inside
    where list_contains(getvariable('days_to_check'), snapshots.snapshot_date)
),

differ as (
    select
        sides.* exclude (side),
        count(*) filter (where side = 'the snapshot file') as in_file,
        count(*) filter (where side = 'the history') as in_history
    from sides
    group by all
    having in_file <> in_history
)

select
    format(
        '{}, {} {} ({}) on {}: {} times in the snapshot file, {} times in the history',
        organization_id, holder_type, holder_id, license_type, snapshot_date, in_file, in_history
    ) as finding
from differ
