-- One row: the first day of use that the reports of one observation tell of; the list of keys aside, which goes back
-- without end.
-- Answers: which nights may have told of the same uses?
-- reads: uses
select min(usage_date) as usage_date
from uses
where source <> 'api_key'
