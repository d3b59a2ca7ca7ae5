-- One row per workspace that the file names.
select workspace_id as id, min(workspace_name) as name
from import_holders
where workspace_id is not null
group by workspace_id
