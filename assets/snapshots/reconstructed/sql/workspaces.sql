-- One row per workspace: its name, as the observation or the base snapshot has it.
-- Answers: what are the workspaces called in which keys lie or lay?
-- reads: base, raw_workspaces
with

named as (
    select id, name
    from raw_workspaces
    union all
    select workspace_id, workspace_name
    from base
    where workspace_id is not null
)

select id, min(name) as name
from named
group by id
