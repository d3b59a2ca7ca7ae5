-- One row per workspace: its name, archived ones included, because keys outlive them.
-- Answers: what is a workspace called?
-- reads: raw_workspaces
select id, min(name) as name
from raw_workspaces
group by id
