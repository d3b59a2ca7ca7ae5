-- One row: the organization and the day that the file is imported for.
-- Answers: of whom and when must the file be?
select cast($organization_id as varchar) as organization_id, cast($day as date) as day
