-- One row: the active members whose license takes a seat, in the replaced and in the new version of a day.
-- Only the role says it here: the warehouse's `takes_seat` has pending invites and every status but Disabled, too, and
-- asks the license type where there is no role, but it is made anew each night, and these two numbers stay as written.
-- Answers: by how many seats does a replacement change a day?
-- reads: license_assignments, license_types, published_snapshot
with

seat_takers as (
    select 'before' as version, role from published_snapshot where status = 'Active' and holder_type = 'user'
    union all
    select 'after', role from license_assignments where status = 'Active' and holder_type = 'user'
)

select
    count(*) filter (where seat_takers.version = 'before') as seats_before,
    count(*) filter (where seat_takers.version = 'after') as seats_after
from seat_takers
left join license_types on license_types.role = seat_takers.role
where takes_seat(license_types.takes_seat)
