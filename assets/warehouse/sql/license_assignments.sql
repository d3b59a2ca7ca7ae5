-- One row per holder: the latest snapshot of each organization. Answers: who holds what now?
with

latest as (
    select organization_id, max(snapshot_date) as snapshot_date
    from inputs.snapshots
    group by organization_id
)

select snapshots.*
from inputs.snapshots
inner join latest
    on latest.organization_id = snapshots.organization_id
    and latest.snapshot_date = snapshots.snapshot_date
order by snapshots.organization_id, snapshots.holder_type, snapshots.holder_id
