-- One row per organization and snapshot day: since when anything has been believed of it.
select
    snapshot_log.organization_id,
    snapshot_log.snapshot_date,
    least(min(restatements.known_from), any_value(coalesce(snapshot_log.loaded_at, snapshot_log.observed_at))) as known_from
from snapshot_log
left join restatements
    on restatements.organization_id = snapshot_log.organization_id
    and restatements.snapshot_date = snapshot_log.snapshot_date
group by snapshot_log.organization_id, snapshot_log.snapshot_date
order by snapshot_log.organization_id, snapshot_log.snapshot_date
