-- One row per usage report and kind of holder. Answers: what can each source see, so what does its silence mean?
select endpoint, source, holder_type, sees, because
from inputs.usage_sources
order by endpoint, holder_type desc
