-- One row per usage report and kind of holder. Answers: what can each source see, so what does its silence mean?
-- reads: inputs.usage_sources
select endpoint, source, holder_type, sees, because
from inputs.usage_sources
order by endpoint, holder_type desc
