-- One row: the default workspace as the base snapshot knows it.
-- Answers: which workspace does the feed call null?
select cast($id as varchar) as id
