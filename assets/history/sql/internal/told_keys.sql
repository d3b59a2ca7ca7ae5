-- One row per stretch of an API key as it was told, its place in one form whatever shape the API gave it.
-- Answers: which workspace is meant? Null in the older shape is the default workspace, unless another answer tells that
-- the key is the organization's and of no workspace.
-- reads: internal.default_workspaces, internal.told_stretches
create view internal.told_keys as
with

of_organization as (
    select distinct organization_id, holder_id
    from internal.told_stretches
    where key_scope = 'organization'
)

select
    told.* replace (
        case when of_organization.holder_id is null then coalesce(told.workspace_id, defaults.workspace_id) else told.workspace_id end
            as workspace_id,
        case
            when coalesce(told.workspace_id, case when of_organization.holder_id is null then defaults.workspace_id end) is not null
                then 'workspace'
            when of_organization.holder_id is not null then 'organization'
        end as key_scope
    )
from internal.told_stretches as told
left join of_organization
    on of_organization.organization_id = told.organization_id
    and of_organization.holder_id = told.holder_id
left join internal.default_workspaces as defaults on defaults.organization_id = told.organization_id
where told.holder_type = 'api_key'
