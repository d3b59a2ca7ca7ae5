-- One row per earlier night that told of uses of some days which the reports tell of again; the list of keys is whole each
-- night, and what is lost of it is told again by the next.
-- Answers: on which nights' files does this night's rely?
-- reads: usage_now
select distinct known_since
from usage_now
where known_since is not null
    and source <> 'api_key'
