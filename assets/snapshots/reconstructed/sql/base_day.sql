-- One row: the day of the base snapshot, when it was observed, and from when on the feed is proved to tell all.
-- Answers: between which moments does the feed lead back?
select
    cast($day as date) as day,
    cast($day_end as timestamptz) as day_end,
    cast($observed_at as timestamptz) as observed_at,
    cast($proved_from as timestamptz) as proved_from
