-- One row: how many holders of each kind a snapshot has, and the words in it that our tables do not know.
-- Answers: what do the facts of every snapshot say of its rows, whatever its source?
-- reads: license_assignments
with

holders as (
    select holder_type, holder_id
    from license_assignments
),

unmapped as (
    select license_type as word
    from license_assignments
    where is_unmapped(license_type)
    union
    select status
    from license_assignments
    where is_unmapped(status)
)

select
    (select count(*) from holders where holder_type = 'user') as users,
    (select count(*) from holders where holder_type = 'api_key') as api_keys,
    (select count(*) from holders where holder_type = 'invite') as invites,
    (select count(*) from (select distinct holder_type, holder_id from holders)) as distinct_holders,
    (select coalesce(list(word order by word), []) from unmapped) as unmapped
