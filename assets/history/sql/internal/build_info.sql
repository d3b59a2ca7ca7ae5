-- One row: what made this warehouse, and when. Answers: may the next one start from it?
-- reads:
select
    cast(getvariable('made_by') as varchar) as made_by,
    cast(getvariable('written_at') as timestamptz) as written_at
