-- One row at most: a holder's that only one of two versions of a day has, run and hour apart.
-- Answers: does the version that was made say anything else than the published one?
-- reads: license_assignments, published_snapshot
with

made as (
    select * exclude (observed_at, run_id)
    from license_assignments
),

published as (
    select * exclude (observed_at, run_id)
    from published_snapshot
)

(from made except from published)
union all
(from published except from made)
limit 1
