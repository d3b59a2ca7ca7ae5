-- One row per organization, kind of holder and day on which that roster is known, numbered from 1.
-- Answers: which days can speak for members, keys or invites, which observed day came before and after, up to when were
-- the lists known in which owners and workspaces are looked up, and what could have been seen of use?
-- reads: internal.usage_watches, snapshot_log
with

known as (
    select
        *,
        max(case when users is not null then snapshot_date end) over so_far as members_as_of,
        max(case when workspaces_known then snapshot_date end) over so_far as workspaces_as_of,
        last_value(organization_name ignore nulls) over so_far as name_so_far
    from snapshot_log
    window so_far as (partition by organization_id order by snapshot_date)
),

rosters as (
    select 'user' as holder_type, known.* from known where users is not null
    union all
    select 'api_key', known.* from known where api_keys is not null
    union all
    select 'invite', known.* from known where invites is not null
)

select
    rosters.organization_id,
    rosters.holder_type,
    rosters.snapshot_date,
    row_number() over roster as day_number,
    lag(rosters.snapshot_date) over roster as previous_date,
    lead(rosters.snapshot_date) over roster as next_date,
    rosters.name_so_far as organization_name,
    -- how we know
    rosters.is_final,
    rosters.provenance,
    rosters.observed_at,
    rosters.run_id,
    case when rosters.holder_type = 'api_key' then rosters.members_as_of end as owner_as_of,
    case when rosters.holder_type = 'api_key' then rosters.workspaces_as_of end as workspace_as_of,
    -- use
    case when watched_up_to(watches.until, rosters.snapshot_date) then watches.since end as usage_observed_since,
    case
        when watched_up_to(watches.until, rosters.snapshot_date) then least(watches.until, rosters.snapshot_date)
    end as usage_observed_until,
    coalesce(looks.first_day <= rosters.snapshot_date, false) as is_looked_at
from rosters
asof left join (select * from internal.usage_watches where sees = 'all') as watches
    on watches.organization_id = rosters.organization_id
    and watches.holder_type = rosters.holder_type
    and watches.since <= rosters.snapshot_date
left join (
    select organization_id, holder_type, min(since) as first_day
    from internal.usage_watches
    group by organization_id, holder_type
) as looks
    on looks.organization_id = rosters.organization_id
    and looks.holder_type = rosters.holder_type
window roster as (partition by rosters.organization_id, rosters.holder_type order by rosters.snapshot_date)
order by rosters.organization_id, rosters.holder_type, rosters.snapshot_date
