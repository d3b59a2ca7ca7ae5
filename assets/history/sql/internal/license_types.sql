-- One row per role, and span in which its meaning holds, of license_types.csv. Answers: what does a role mean, and when?
-- reads: inputs.license_types
select role, license_type, takes_seat, valid_from, valid_to
from inputs.license_types
order by role, valid_from
