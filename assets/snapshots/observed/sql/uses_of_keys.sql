-- One row per API key of which its own list says when it was last used.
-- Answers: when was a key last used, by the word of the list of keys?
-- reads: raw_api_keys
select distinct
    cast(last_used_at as date) as usage_date,
    'api_key' as source,
    'api_key' as holder_type,
    id as holder_id,
    cast(null as varchar) as subject,
    last_used_at as used_at
from raw_api_keys
where last_used_at is not null
