-- One row at most: the default workspace's id. It is what the list that was asked for it has and the other list lacks;
-- and what keys have in their scope whose deprecated field beside it is null, where others' is not. Where neither tells,
-- the only id that keys bear and a list without the default workspace lacks, since it leaves out no other one.
-- Answers: which workspace is the default one, which the API leaves out of lists or calls null?
-- reads: raw_api_keys, raw_workspaces, raw_workspaces_listed, workspace_lists
with

listed as (
    select id from raw_workspaces_listed
    union all
    select id
    from raw_workspaces, workspace_lists
    where not compared
),

told as (
    select distinct raw_workspaces.id
    from raw_workspaces, workspace_lists
    where compared and raw_workspaces.id not in (select id from listed)
),

shown as (
    select distinct scope.workspace_id as id
    from raw_api_keys
    where scope.type = 'workspace'
        and workspace_id is null
        and exists (select 1 from raw_api_keys as others where others.scope.workspace_id = others.workspace_id)
),

places as (
    select
        case when scope.type = 'organization' then null else coalesce(scope.workspace_id, workspace_id) end as id,
        coalesce(scope.type, '') = 'organization' as of_organization
    from raw_api_keys
),

borne as (
    select distinct places.id
    from places, workspace_lists
    where without_default
        and places.id is not null
        and places.id not in (select id from listed)
        and not exists (select 1 from places as open where open.id is null and not open.of_organization)
)

select min(id) as id
from (
    select id from told
    union
    select id from shown where id is not null
    union
    select id from borne where not exists (select 1 from told) and not exists (select 1 from shown)
)
having count(*) = 1
