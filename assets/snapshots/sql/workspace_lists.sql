-- One row: which lists of workspaces can be held against each other, and whether one is without the default workspace.
-- Answers: what may be concluded from a workspace that a list lacks?
select
    cast($compared as boolean) as compared,
    cast($without_default as boolean) as without_default
