-- One row per day of which a snapshot is made: from what, and what is known for it: the parameters of every query here.
-- Answers: what are the queries told of the days that they make?
select
    cast($organization_name as varchar) as organization_name,
    days.day,
    cast(days.day + 1 as timestamptz) as day_end,
    cast($observed_at as timestamptz) as observed_at,
    cast($run_id as varchar) as run_id,
    cast($provenance as varchar) as provenance,
    cast($members_known as boolean) as members_known,
    cast($invites_known as boolean) as invites_known
from (select unnest(cast($days as date[])) as day) as days
