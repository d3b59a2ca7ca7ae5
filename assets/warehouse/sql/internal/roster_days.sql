-- One row per organization, kind of holder and day on which that roster is known, numbered from 1.
-- Answers: which days can speak for members, keys or invites, and which observed day came before and after?
with

rosters as (
    select organization_id, 'user' as holder_type, snapshot_date, is_final, provenance, observed_at, run_id
    from snapshot_log
    where users is not null
    union all
    select organization_id, 'api_key', snapshot_date, is_final, provenance, observed_at, run_id
    from snapshot_log
    where api_keys is not null
    union all
    select organization_id, 'invite', snapshot_date, is_final, provenance, observed_at, run_id
    from snapshot_log
    where invites is not null
),

-- A source can see a kind of holder where it has been asked up to (nearly) this day: the snapshots' own rule.
watches as (
    select
        organization_id,
        holder_type,
        covered_from,
        min(covered_from) over (partition by organization_id, holder_type) as since,
        max(covered_to) over (partition by organization_id, holder_type order by covered_from) as covered_to
    from internal.usage_coverage
)

select
    rosters.organization_id,
    rosters.holder_type,
    rosters.snapshot_date,
    row_number() over roster as day_number,
    lag(rosters.snapshot_date) over roster as previous_date,
    lead(rosters.snapshot_date) over roster as next_date,
    -- how we know
    rosters.is_final,
    rosters.provenance,
    rosters.observed_at,
    rosters.run_id,
    case when watches.covered_to >= rosters.snapshot_date - 4 then watches.since end as usage_observed_since
from rosters
asof left join watches
    on watches.organization_id = rosters.organization_id
    and watches.holder_type = rosters.holder_type
    and watches.covered_from <= rosters.snapshot_date
window roster as (partition by rosters.organization_id, rosters.holder_type order by rosters.snapshot_date)
order by rosters.organization_id, rosters.holder_type, rosters.snapshot_date
