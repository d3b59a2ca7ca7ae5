-- One row per holder and attribute in which a day's observed snapshot (`seen`) differs from the same day rolled back from
-- a later snapshot (`rolled_back`): mostly what changed between midnight and the hour of the observation.
-- Answers: does the feed lead back to what was observed?
-- reads: comparable, license_assignments, seen_snapshot
with

seen as (
    select holder_type, holder_id, license_type, role, status, workspace_id, case when holder_type = 'api_key' then name end as name
    from seen_snapshot
),

rolled_back as (
    select holder_type, holder_id, license_type, role, status, workspace_id, case when holder_type = 'api_key' then name end as name
    from license_assignments
),

side_by_side as (
    select
        coalesce(seen.holder_type, rolled_back.holder_type) as holder_type,
        coalesce(seen.holder_id, rolled_back.holder_id) as holder_id,
        unnest(['holder', 'license_type', 'role', 'status', 'workspace_id', 'name']) as attribute,
        unnest([
            case when seen.holder_id is null then 'absent' else 'there' end,
            seen.license_type, seen.role, seen.status, seen.workspace_id, seen.name
        ]) as observed,
        unnest([
            case when rolled_back.holder_id is null then 'absent' else 'there' end,
            rolled_back.license_type, rolled_back.role, rolled_back.status, rolled_back.workspace_id, rolled_back.name
        ]) as by_the_feed,
        seen.holder_id is not null and rolled_back.holder_id is not null as on_both_sides
    from seen
    full join rolled_back
        on rolled_back.holder_type = seen.holder_type
        and rolled_back.holder_id = seen.holder_id
)

select holder_type, holder_id, attribute, observed, by_the_feed
from side_by_side
where observed is distinct from by_the_feed
    and (attribute = 'holder' or on_both_sides)
    and holder_type in (select holder_type from comparable)
order by holder_type, holder_id, attribute
