-- Whether an organization's pending invites take seats: as it says, else as all do; where nobody says, they do, so that no
-- cost is hidden.
create or replace temp macro invites_take_seats(own, every) as coalesce(own, every, true);
