-- One row per file that this warehouse was made from. Answers: which files are new or replaced since?
-- reads: inputs.files
select dataset, organization_id, day, bytes, modified_ns
from inputs.files
order by dataset, organization_id, day
