-- One row per day of use, of some days, on which a report names somebody by an e-mail address or a key's name, and not by
-- an id.
-- Answers: for which days must it be known who bore a name?
-- reads: uses
select distinct usage_date
from uses
where usage_date between $first and $last
    and holder_id is null
