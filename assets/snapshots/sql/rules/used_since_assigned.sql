-- Whether a use, at an instant or else on a day, is by who holds the license now: what lies before it was assigned was by an
-- earlier holder of the same id.
create or replace temp macro used_since_assigned(used_at, used_on, assigned_at) as
    coalesce(used_at >= assigned_at, used_on >= cast(assigned_at as date), true);
