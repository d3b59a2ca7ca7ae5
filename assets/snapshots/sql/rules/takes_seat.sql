-- Whether a role takes a seat: as license_types.csv has told, and where it lacks the role, it does.
create or replace temp macro takes_seat(told) as coalesce(told, true);
