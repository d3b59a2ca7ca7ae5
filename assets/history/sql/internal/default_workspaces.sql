-- One row per organization whose default workspace has an id that is known. Answers: which one is it?
-- The older shape of API keys leaves it null; it is one and the same workspace all the same.
-- reads: snapshot_log
select organization_id, arg_max(default_workspace, snapshot_date) as workspace_id
from snapshot_log
where default_workspace is not null
group by organization_id
order by organization_id
