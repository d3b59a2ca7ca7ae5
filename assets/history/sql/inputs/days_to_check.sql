-- One row per organization and day whose rows the checks compare one by one.
-- Answers: how many days can be compared in the time that a night has? The newest of each organization, and as many
-- others as have no more rows together than the variable `rows_to_compare`, drawn the same way every time.
-- reads: inputs.days_to_read, inputs.facts
with

counted as (
    select
        facts.organization_id,
        facts.snapshot_date,
        coalesce(facts.users, 0) + coalesce(facts.api_keys, 0) + coalesce(facts.invites, 0) as rows,
        facts.snapshot_date = max(facts.snapshot_date) over (partition by facts.organization_id) as newest
    from inputs.facts
    semi join inputs.days_to_read using (organization_id, snapshot_date)
),

summed as (
    select
        organization_id,
        snapshot_date,
        newest,
        sum(rows) over (
            order by newest desc, hash(organization_id, snapshot_date), snapshot_date
        ) as rows_so_far
    from counted
)

select organization_id, snapshot_date
from summed
where newest
    or rows_so_far <= getvariable('rows_to_compare')
