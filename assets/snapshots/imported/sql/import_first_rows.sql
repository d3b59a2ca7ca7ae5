-- One row per holder, in the order of the file: its row there, and all that would be stored.
-- Answers: what would an import write?
-- reads: import_holders, license_assignments
select import_holders.row_number, license_assignments.*
from license_assignments
inner join import_holders using (holder_type, holder_id)
order by import_holders.row_number
