-- One row per day of use of which a report names somebody by an e-mail address or a key's name, and not by an id.
-- Answers: for which days must it be known who bore a name?
-- reads: uses_of_days
select distinct usage_date
from uses_of_days
where holder_id is null
