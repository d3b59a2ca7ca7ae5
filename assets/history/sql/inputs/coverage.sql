-- One row per observation, organization, source, endpoint and kind of holder. Answers: what did usage reports reach, by
-- the files to read and by what the last warehouse knew?
-- reads: inputs.coverage_to_read, inputs.known_coverage
select * exclude (observed_day)
from inputs.coverage_to_read
union all by name
from inputs.known_coverage
