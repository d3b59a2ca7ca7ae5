-- One row per reference file that this warehouse was made with. Answers: has somebody edited one since?
-- reads: inputs.reference_files
select name, sha256
from inputs.reference_files
order by name
