-- One row: how the file's holders are known, and what of it was not taken.
-- Answers: what is whoever imports the file told of it?
-- reads: import_holders
select
    count(*) filter (where known_by = 'id' and not is_later) as by_id,
    count(*) filter (where known_by = 'email' and not is_later) as by_email,
    count(*) filter (where known_by = 'address' and not is_later) as by_address,
    count(*) filter (where is_later) as later,
    count(*) filter (where used_at is not null and not used_has_zone) as uses_without_zone
from import_holders
