-- One row per role of the reference table license_types.csv. Answers: what does a role mean today?
select role, license_type, takes_seat
from inputs.license_types
order by role
