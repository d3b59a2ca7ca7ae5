-- One row per kind of holder whose roster both snapshots know.
-- Answers: of whom can one be held against the other?
select unnest(cast($known as varchar[])) as holder_type
