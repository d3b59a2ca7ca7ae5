-- One row per use that the answers of one observation tell of some days, and no file of an earlier night.
-- Answers: what has this night newly learnt?
-- reads: usage_now
select * exclude (is_known, known_since)
from usage_now
where not is_known
order by usage_date, source, holder_type, holder_id, subject, used_at
