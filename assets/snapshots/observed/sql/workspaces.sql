-- One row per workspace: its name, archived ones included, because keys outlive them.
select id, min(name) as name
from raw_workspaces
group by id
