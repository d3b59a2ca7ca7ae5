-- One row: of which day a snapshot is made, from what, and what is known for it: the parameters of every query here.
-- Answers: what are the queries told of the day that they make?
select
    cast($organization_name as varchar) as organization_name,
    cast($day as date) as day,
    cast($day_end as timestamptz) as day_end,
    cast($observed_at as timestamptz) as observed_at,
    cast($run_id as varchar) as run_id,
    cast($provenance as varchar) as provenance,
    cast($members_known as boolean) as members_known,
    cast($invites_known as boolean) as invites_known
