-- One row per earlier night that told of uses of some days which the reports tell of again; the list of keys is whole each
-- night, and what is lost of it is told again by the next.
-- Answers: on which nights' files does this night's rely?
-- reads: usage_known, usage_now
select distinct usage_known.observed_day
from usage_known
semi join usage_now
    on usage_known.usage_date = usage_now.usage_date
    and usage_known.source = usage_now.source
    and usage_known.holder_type = usage_now.holder_type
    and usage_known.holder_id is not distinct from usage_now.holder_id
    and usage_known.subject is not distinct from usage_now.subject
    and usage_known.matched_by = usage_now.matched_by
    and usage_known.used_at is not distinct from usage_now.used_at
where usage_known.observed_day is not null
    and usage_known.source <> 'api_key'
