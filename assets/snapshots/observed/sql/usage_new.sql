-- One row per use that the answers of one observation tell of some days, and no file of an earlier night.
-- Answers: what has this night newly learnt?
-- reads: usage_known, usage_now
select usage_now.*
from usage_now
anti join usage_known
    on usage_known.usage_date = usage_now.usage_date
    and usage_known.source = usage_now.source
    and usage_known.holder_type = usage_now.holder_type
    and usage_known.holder_id is not distinct from usage_now.holder_id
    and usage_known.subject is not distinct from usage_now.subject
    and usage_known.matched_by = usage_now.matched_by
    and usage_known.used_at is not distinct from usage_now.used_at
order by usage_date, source, holder_type, holder_id, subject, used_at
