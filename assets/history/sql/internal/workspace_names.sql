-- One row per workspace and day from which on some key's rows tell its name. Answers: what was it called when last told?
-- reads: internal.told_stretches
select
    organization_id,
    workspace_id,
    valid_from,
    max(workspace_name) as workspace_name
from internal.told_stretches
where workspace_id is not null
    and workspace_name is not null
group by organization_id, workspace_id, valid_from
order by organization_id, workspace_id, valid_from
