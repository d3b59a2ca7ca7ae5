-- One row per day and member whose accepted invite is known: none, as no file tells who came by which.
-- Answers: by which invite did a member come?
select
    cast(null as date) as day,
    cast(null as varchar) as invite_id,
    cast(null as varchar) as holder_id
where false
