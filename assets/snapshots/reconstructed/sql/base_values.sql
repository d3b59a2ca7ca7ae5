-- One row per holder and attribute that the feed can change: its value in the base snapshot.
-- Answers: where does the way back begin?
-- reads: base
select 'user' as holder_type, holder_id, 'role' as attribute, role as value
from base
where holder_type = 'user'
union all
select 'api_key', holder_id, unnest(['name', 'status', 'workspace']), unnest([name, status_raw, workspace_id])
from base
where holder_type = 'api_key'
