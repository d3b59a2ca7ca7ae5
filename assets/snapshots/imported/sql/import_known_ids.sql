-- One row per kind of holder and e-mail address of the file, lower-cased, that any snapshot of the organization bears:
-- the ids that bore it. Identities that an earlier import made up from an address are no ids.
-- Answers: whose is an e-mail address?
-- reads: import_rows, standing, superseded
with

wanted as (
    select distinct holder_type, lower(email) as address
    from import_rows
    where email is not null
        and coalesce(is_made_up(given_id), true)
),

-- what was observed and then replaced is still seen; a file that was replaced was wrong
snapshots as (
    select holder_type, holder_id, email
    from standing
    union all
    select holder_type, holder_id, email
    from superseded
    where provenance <> 'imported'
)

select
    wanted.holder_type,
    wanted.address,
    list(distinct snapshots.holder_id order by snapshots.holder_id) as ids
from wanted
inner join snapshots
    on snapshots.holder_type = wanted.holder_type
    and lower(snapshots.email) = wanted.address
where not is_made_up(snapshots.holder_id)
group by wanted.holder_type, wanted.address
