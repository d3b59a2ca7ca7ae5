-- One row per workspace that the file names.
-- Answers: what are the workspaces of the file's keys called?
-- reads: import_holders
select workspace_id as id, min(workspace_name) as name
from import_holders
where workspace_id is not null
group by workspace_id
