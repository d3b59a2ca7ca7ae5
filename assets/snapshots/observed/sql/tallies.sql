-- One row: what the snapshot's makers counted on the way, for `snapshot_log` and the run's metadata.
with

holders as (
    select holder_type, holder_id, assigned_at
    from license_assignments
),

too_early as (
    select distinct usage.usage_date, usage.source, usage.holder_type, usage.holder_id, usage.used_at
    from usage
    inner join holders
        on holders.holder_type = usage.holder_type
        and holders.holder_id = usage.holder_id
    where not coalesce(usage.used_at >= holders.assigned_at, usage.usage_date >= cast(holders.assigned_at as date), true)
),

named as (
    select
        count(*) filter (where matched_by = 'ambiguous') as uses_ambiguous,
        count(*) filter (where matched_by = 'unmatched') as uses_unmatched
    from usage_now
),

unmapped as (
    select coalesce(list(distinct word order by word), []) as unmapped
    from (
        select license_type as word from license_assignments where license_type like 'Unmapped (%'
        union
        select status from license_assignments where status like 'Unmapped (%'
    )
),

after_closing as (
    select
        (select count(distinct id) from raw_users, observation where added_at >= day_end)
        + (select count(distinct id) from raw_api_keys, observation where created_at >= day_end)
        + (select count(distinct id) from raw_invites, observation where status = 'pending' and invited_at >= day_end)
        as left_out
)

select
    (select count(*) from holders where holder_type = 'user') as users,
    (select count(*) from holders where holder_type = 'api_key') as api_keys,
    (select count(*) from holders where holder_type = 'invite') as invites,
    (select count(*) from (select distinct holder_type, holder_id from holders)) as distinct_holders,
    (select count(*) from too_early) as uses_before_assignment,
    named.uses_ambiguous,
    named.uses_unmatched,
    (select cast(coalesce(sum(told), 0) as integer) from unattributed) as uses_unattributed,
    unmapped.unmapped,
    after_closing.left_out
from named, unmapped, after_closing
